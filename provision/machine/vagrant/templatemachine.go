package vagrant

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"podium/provision/machine"
	"podium/provision/remote"
)

// templateMachine is the machine whose hardware and network clones get. It is filled while Vagrant boots it: the hardware when its boot
// begins, what Vagrant has written inside when it has ended.
type templateMachine struct {
	name string
	data string // Vagrant's folder of it

	hardwareSeen chan struct{}     // closed once hardware or noHardware is set
	hardware     map[string]string // showvminfo
	noHardware   error

	finished  chan struct{} // closed once network or noNetwork is set
	network   networkFile
	noNetwork error
}

func (p *Provider) newTemplateMachine(name string) *templateMachine {
	return &templateMachine{name: name, data: p.dataDir(name), hardwareSeen: make(chan struct{}), finished: make(chan struct{})}
}

// templateFor gives the template for a machine that is to be made, nil if Vagrant makes each. leads says that the machine
// itself is the template: Vagrant boots it, and its caller calls readHardware and finishTemplate.
func (p *Provider) templateFor(ctx context.Context, f *found, name string, vms map[string]vm) (m *templateMachine, leads bool) {
	if why := p.whyNoFastBoot(f); why != "" {
		p.o.Log.Debug("every machine is booted by Vagrant", "reason", why)
		return nil, false
	}
	existing, at := p.runningTemplate(name, vms)
	p.mu.Lock()
	if p.template != nil {
		defer p.mu.Unlock()
		return p.template, false
	}
	leads = existing == ""
	if leads {
		existing = name
	}
	m = p.newTemplateMachine(existing)
	p.template = m
	p.mu.Unlock()
	if !leads { // a machine of an earlier up
		p.readHardware(ctx, f, m)
		p.finishTemplate(ctx, m, at, nil)
	}
	return m, leads
}

// runningTemplate finds a machine of the lab that has been booted to the end with today's settings, and that runs.
func (p *Provider) runningTemplate(but string, vms map[string]vm) (string, remote.Endpoint) {
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

// readHardware reads the template's hardware, the first time that it is called.
func (p *Provider) readHardware(ctx context.Context, f *found, m *templateMachine) {
	if isClosed(m.hardwareSeen) {
		return
	}
	defer close(m.hardwareSeen)
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

// finishTemplate reads what Vagrant has written inside the template, or passes on why its boot has failed.
func (p *Provider) finishTemplate(ctx context.Context, m *templateMachine, at remote.Endpoint, failed error) {
	if !isClosed(m.hardwareSeen) {
		m.noHardware = errors.Join(failed, errUnseen)
		close(m.hardwareSeen)
	}
	m.noNetwork = errors.Join(failed, m.noHardware)
	if m.noNetwork == nil {
		m.network, m.noNetwork = p.readNetwork(ctx, at)
	}
	if m.noNetwork != nil { // the next machine to be made is the next template
		p.mu.Lock()
		if p.template == m {
			p.template = nil
		}
		p.mu.Unlock()
	}
	close(m.finished)
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
	errNotVirtualBox = noClone("only VirtualBox has them")
	errUnseen        = noClone("nobody saw it boot")
)

// waitHardware waits until the template begins to boot.
func (m *templateMachine) waitHardware(ctx context.Context) error {
	select {
	case <-m.hardwareSeen:
		return m.because(m.noHardware)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// waitNetwork waits until the template's boot has come to its end.
func (m *templateMachine) waitNetwork(ctx context.Context) error {
	select {
	case <-m.finished:
		return m.because(m.noNetwork)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *templateMachine) because(err error) error {
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

// cards are the options of modifyvm that give a machine the template's network cards. The first card has the address that
// the box wants, if it wants one; the others have addresses of their own.
func (m *templateMachine) cards(boxFolder string) ([]string, error) {
	var args []string
	for n := 1; n <= lastCard; n++ {
		number := strconv.Itoa(n)
		kind, ok := cardKinds[m.hardware["nic"+number]]
		if !ok {
			return nil, noClone("network card %d of %s is %q", n, m.name, m.hardware["nic"+number])
		}
		args = append(args, "--nic"+number, kind.name)
		if kind.name == "none" {
			continue
		}
		if kind.networkKey != "" {
			network := m.hardware[kind.networkKey+number]
			if network == "" {
				return nil, noClone("network card %d of %s has no network", n, m.name)
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
