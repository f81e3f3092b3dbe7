package vagrant

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"podium/provision/machine"
	"podium/provision/remote"
	"podium/templates"
)

// Fast boot: podium clones a machine itself, with one that Vagrant has made as the template: the same linked clone of the box,
// the same cards, and over SSH what Vagrant does at a first boot. Vagrant finds in its folder what it would have written
// there itself and takes the machine for its own. One run of Vagrant so serves a whole lab.
//
// Whatever is not as expected makes it give up, remove the clone and leave the machine to `vagrant up`.

// errNoClone says why a machine had better be booted by Vagrant itself.
var errNoClone = errors.New("cannot be cloned")

func noClone(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errNoClone, fmt.Sprintf(format, args...))
}

// fastBoot clones and boots a machine, and reports whether it did. It has an error only when ctx ends.
func (p *Provider) fastBoot(ctx context.Context, f *found, m *templateMachine, at remote.Endpoint) (bool, error) {
	name := at.Node
	err := p.makeAndBootClone(ctx, f, m, at)
	if err == nil {
		return true, nil
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	p.o.Log.Info("booting by Vagrant", "node", name, "reason", err)
	p.say(name, "is left to Vagrant: "+firstLines(err.Error(), 1))
	return false, p.removeClone(ctx, name)
}

func (p *Provider) makeAndBootClone(ctx context.Context, f *found, m *templateMachine, at remote.Endpoint) error {
	v, ok := f.hypervisor.(vbox)
	if !ok {
		return errNotVirtualBox
	}
	node, file, err := p.renderedNode(at.Node)
	if err != nil {
		return err
	}
	if err := m.waitHardware(ctx); err != nil {
		return err
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, p.bootDeadline())
	defer cancel()
	p.say(at.Node, "cloning the box's disk, with the hardware of "+m.name)
	id, err := p.makeClone(ctx, f, v, m, node, file)
	if err != nil {
		return err
	}
	p.say(at.Node, "booting")
	if err := v.start(ctx, id); err != nil {
		return err
	}
	return p.setUpGuest(ctx, f, m, at)
}

// renderedNode gives the machine as the Vagrantfile has it.
func (p *Provider) renderedNode(name string) (templates.VagrantNode, templates.Vagrantfile, error) {
	v, err := p.describe(p.spec)
	if err != nil {
		return templates.VagrantNode{}, v, err
	}
	for _, n := range v.Nodes {
		if n.Name != name {
			continue
		}
		if n.DiskMiB > 0 || len(n.ExtraDisksMiB) > 0 {
			return n, v, noClone("disks of its own")
		}
		return n, v, nil
	}
	return templates.VagrantNode{}, v, fmt.Errorf("%s: not a node of the lab that was prepared: %w", name, machine.ErrNotFound)
}

// whyNoFastBoot names what may make Vagrant do more at a boot than podium knows of; empty: nothing.
func (p *Provider) whyNoFastBoot(f *found) string {
	switch {
	case p.isLibvirt():
		return "only VirtualBox has them"
	case !p.o.FastBoot:
		return "no --fast-boot"
	case p.o.Dialer == nil || p.spec.PublicKey == "":
		return "no key of the lab's"
	case f.vagrant.path == "":
		return "no Vagrant"
	}
	for _, path := range []string{filepath.Join(f.home, "Vagrantfile"), filepath.Join(p.o.Dir, ".vagrant", "plugins.json")} {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			return path + " exists"
		}
	}
	if text, err := os.ReadFile(filepath.Join(f.home, "plugins.json")); err == nil && !noPlugins(text) {
		return "Vagrant has plugins"
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err.Error()
	}
	return ""
}

// makeClone makes the machine, not yet running, and gives its id. The id is noted before the machine exists, so that no
// machine is ever without somebody who knows it.
func (p *Provider) makeClone(ctx context.Context, f *found, v vbox, m *templateMachine, node templates.VagrantNode, file templates.Vagrantfile) (string, error) {
	box, err := m.boxFolder(f.home)
	if err != nil {
		return "", err
	}
	master, err := masterOf(box)
	if err != nil {
		return "", err
	}
	cards, err := m.cards(box)
	if err != nil {
		return "", err
	}
	id := newUUID()
	if err := p.writeVagrantData(node.Name, id); err != nil {
		return "", err
	}
	if _, err := v.call(ctx, diskDeadline, "clonevm", master, "--register", "--name", file.NamePrefix()+node.Name,
		"--snapshot", baseSnapshot, "--options", "link", "--uuid", id); err != nil {
		return "", err
	}
	args := slices.Concat([]string{"modifyvm", id}, cards, file.ModifyVM(node))
	if _, err := v.call(ctx, v.deadline, args...); err != nil {
		return "", err
	}
	made, err := v.info(ctx, id)
	if err != nil {
		return "", err
	}
	return id, sameHardware(m.hardware, made, node)
}

// removeClone removes what there is of a clone, so that Vagrant makes the machine.
func (p *Provider) removeClone(ctx context.Context, name string) error {
	err := p.withMachine(ctx, name, func(f *found, id string, vm vm) error {
		if vm.on() {
			if err := switchOff(ctx, f.hypervisor, id); err != nil {
				return err
			}
		}
		return f.hypervisor.remove(ctx, id)
	})
	if err != nil {
		return fmt.Errorf("%s: remove what was begun: %w", name, err)
	}
	if err := p.files().RemoveAll(p.dataName(name)); err != nil {
		return fmt.Errorf("%s: remove what was begun: %w", name, err)
	}
	return p.o.Dialer.Forget(ctx, name) // the next machine of that name has host keys of its own
}

// ownKeys are the keys of showvminfo that differ from machine to machine, or that say how it is and not what it is.
var ownKeys = regexp.MustCompile(`^(name|UUID|hardwareuuid|CfgFile|SnapFldr|LogFldr|NvramFile|memory|cpus|VMState|VMStateChangeTime|` +
	`macaddress\d|Forwarding\(\d+\)|(Current)?Snapshot.*|rec_screen_dest_filename|.*-ImageUUID-\d+-\d+|GuestMemoryBalloon)$`)

// disk is the key of what is plugged into a storage controller: "SATA Controller-0-0".
var disk = regexp.MustCompile(`-\d+-\d+$`)

// sameHardware compares a machine with the template, key by key, and with what the Vagrantfile says of it.
func sameHardware(template, made map[string]string, node templates.VagrantNode) error {
	for key, value := range made {
		want, ok := template[key]
		if disk.MatchString(key) && value != "none" && want != "none" && ok {
			continue
		}
		if !ownKeys.MatchString(key) && (!ok || want != value) {
			return noClone("%s is %q, and %q on the template", key, value, want)
		}
	}
	if made["memory"] != strconv.Itoa(node.MemoryMiB) || made["cpus"] != strconv.Itoa(node.CPUs) {
		return noClone("%s MiB and %s processors, want %d and %d", made["memory"], made["cpus"], node.MemoryMiB, node.CPUs)
	}
	return nil
}
