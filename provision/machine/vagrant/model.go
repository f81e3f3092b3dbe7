package vagrant

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"podium/provision/machine"
	"podium/provision/remote"
)

// model is the machine that twins are made after. It is filled while Vagrant boots it: the hardware when its boot
// begins, what Vagrant has written inside when it has ended.
type model struct {
	name string
	data string // Vagrant's folder of it

	begun      chan struct{}     // closed once hardware or noHardware is set
	hardware   map[string]string // showvminfo
	noHardware error

	ended     chan struct{} // closed once network or noNetwork is set
	network   networkFile
	noNetwork error
}

func (p *Provider) newModel(name string) *model {
	return &model{name: name, data: p.dataDir(name), begun: make(chan struct{}), ended: make(chan struct{})}
}

// modelFor gives the model for a machine that is to be made, nil if there are to be no twins. leads says that the machine
// itself is the model: Vagrant boots it, and whoever has it booted calls begin and end.
func (p *Provider) modelFor(ctx context.Context, f *found, name string, vms map[string]vm) (m *model, leads bool) {
	if why := p.whyNoTwins(f); why != "" {
		p.o.Log.Debug("every machine is booted by Vagrant", "reason", why)
		return nil, false
	}
	existing, at := p.runningModel(name, vms)
	p.mu.Lock()
	if p.model != nil {
		defer p.mu.Unlock()
		return p.model, false
	}
	leads = existing == ""
	if leads {
		existing = name
	}
	m = p.newModel(existing)
	p.model = m
	p.mu.Unlock()
	if !leads { // a machine of an earlier up
		p.begin(ctx, f, m)
		p.end(ctx, m, at, nil)
	}
	return m, leads
}

// runningModel finds a machine of the lab that has been booted to the end with today's settings, and that runs.
func (p *Provider) runningModel(but string, vms map[string]vm) (string, remote.Endpoint) {
	for _, other := range p.spec.Machines {
		known, err := p.recall(other.Name)
		if err != nil || other.Name == but || known.ID == "" || vms[known.ID].state != machine.Running {
			continue
		}
		if digest, err := p.digest(other.Name, known); err == nil && digest == known.Made {
			return other.Name, p.endpoint(other.Name, known)
		}
	}
	return "", remote.Endpoint{}
}

// begin reads the model's hardware, the first time that it is called.
func (p *Provider) begin(ctx context.Context, f *found, m *model) {
	if isClosed(m.begun) {
		return
	}
	defer close(m.begun)
	id, err := p.id(m.name)
	if err != nil {
		m.noHardware = err
		return
	}
	v, ok := f.hypervisor.(vbox)
	if !ok {
		m.noHardware = errNotVirtualBox
		return
	}
	m.hardware, m.noHardware = v.info(ctx, id)
}

// end reads what Vagrant has written inside the model, or passes on why its boot has failed.
func (p *Provider) end(ctx context.Context, m *model, at remote.Endpoint, failed error) {
	if !isClosed(m.begun) {
		m.noHardware = errors.Join(failed, errUnseen)
		close(m.begun)
	}
	m.noNetwork = errors.Join(failed, m.noHardware)
	if m.noNetwork == nil {
		m.network, m.noNetwork = p.readNetwork(ctx, at)
	}
	if m.noNetwork != nil { // the next machine to be made is the next model
		p.mu.Lock()
		if p.model == m {
			p.model = nil
		}
		p.mu.Unlock()
	}
	close(m.ended)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

var (
	errNotVirtualBox = doubt("only VirtualBox has them")
	errUnseen        = doubt("nobody saw it boot")
)

// waitHardware waits until the model begins to boot.
func (m *model) waitHardware(ctx context.Context) error {
	select {
	case <-m.begun:
		return m.because(m.noHardware)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// waitNetwork waits until the model's boot has come to its end.
func (m *model) waitNetwork(ctx context.Context) error {
	select {
	case <-m.ended:
		return m.because(m.noNetwork)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *model) because(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s, which it should be like: %w", m.name, err)
}

// cardKinds are, for each kind of network card in showvminfo, what modifyvm calls it, and where both have its network.
// hostonlynetwork is that of macOS, from VirtualBox 7.0 on, as Vagrant's own driver writes and reads it
// (https://github.com/hashicorp/vagrant/blob/main/plugins/providers/virtualbox/driver/version_7_0.rb).
var cardKinds = map[string]struct{ name, networkKey, networkOption string }{
	"none":            {name: "none"},
	"nat":             {name: "nat"},
	"hostonly":        {"hostonly", "hostonlyadapter", "--hostonlyadapter"},
	"hostonlynetwork": {"hostonlynet", "hostonly-network", "--host-only-net"},
}

// lastCard is how many network cards Vagrant looks at.
const lastCard = 8

// cards are the options of modifyvm that give a machine the model's network cards. The first card has the address that
// the box wants, if it wants one; the others have addresses of their own.
func (m *model) cards(boxFolder string) ([]string, error) {
	var args []string
	for n := 1; n <= lastCard; n++ {
		number := strconv.Itoa(n)
		kind, ok := cardKinds[m.hardware["nic"+number]]
		if !ok {
			return nil, doubt("network card %d of %s is %q", n, m.name, m.hardware["nic"+number])
		}
		args = append(args, "--nic"+number, kind.name)
		if kind.name == "none" {
			continue
		}
		if kind.networkKey != "" {
			network := m.hardware[kind.networkKey+number]
			if network == "" {
				return nil, doubt("network card %d of %s has no network", n, m.name)
			}
			args = append(args, kind.networkOption+number, network)
		}
		if t := m.hardware["nictype"+number]; t != "" {
			args = append(args, "--nictype"+number, t)
		}
		args = append(args, "--cableconnected"+number, "on")
	}
	if mac := m.hardware["macaddress1"]; mac != "" && boxWants(boxFolder, mac) {
		args = append(args, "--macaddress1", mac)
	}
	return args, nil
}
