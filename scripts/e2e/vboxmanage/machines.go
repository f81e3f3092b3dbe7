//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options reads --name value pairs.
func options(args []string) (map[string]string, error) {
	o := map[string]string{}
	for len(args) > 0 {
		if !strings.HasPrefix(args[0], "--") {
			return nil, fmt.Errorf("%w: %q", errUsage, args[0])
		}
		if args[0] == "--register" || args[0] == "--delete" {
			o[args[0]], args = "on", args[1:]
			continue
		}
		if len(args) < 2 {
			return nil, fmt.Errorf("%w: %s needs a value", errUsage, args[0])
		}
		o[args[0]], args = args[1], args[2:]
	}
	return o, nil
}

// importBox makes a machine of a box's OVF; of its disk nothing is used. -n only says what would be made.
func importBox(h *host, args []string) error {
	dry := len(args) > 0 && (args[0] == "-n" || args[0] == "--dry-run")
	if dry {
		args = args[1:]
	}
	if len(args) == 0 {
		return errUsage
	}
	ovf, err := os.ReadFile(args[0])
	if err != nil {
		return failure{text: fmt.Sprintf("Could not open %s", args[0]), code: "VBOX_E_FILE_ERROR (0x80bb0004)"}
	}
	first := func(pattern string) string {
		if m := regexp.MustCompile(pattern).FindSubmatch(ovf); m != nil {
			return string(m[1])
		}
		return "box"
	}
	name, disk := first(`<VirtualSystem[^>]*ovf:id="([^"]+)"`), first(`<File[^>]*ovf:href="([^"]+)"`)
	fmt.Fprintf(os.Stderr, "0%%...10%%...20%%...30%%...40%%...50%%...60%%...70%%...80%%...90%%...100%%\nInterpreting %s...\nOK.\n", args[0])
	named := fmt.Sprintf("Suggested VM name %q\n    (change with \"--vsys 0 --vmname <name>\")", name)
	var o map[string]string
	if !dry {
		if o, err = options(args[1:]); err != nil {
			return err
		}
		named = fmt.Sprintf("VM name specified with --vmname: %q", o["--vmname"])
	}
	if err := say("Disks:",
		"  vmdisk1\t943718400\t-1\thttp://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized\t"+disk+"\t-1\t-1\t", "",
		"Virtual system 0:", ` 0: Suggested OS type: "Debian_64"`, " 1: "+named, ` 2: Suggested VM group "/"`,
		" 5: Number of CPUs: 1", " 6: Guest memory: 512 MB", "10: Hard disk image: source image="+disk+", target path="+disk+", controller=9;port=0",
	); err != nil || dry {
		return err
	}
	if err := h.change(func(s *store) error {
		s.Machines = append(s.Machines, newMachine(o["--vmname"]))
		return nil
	}); err != nil {
		return err
	}
	progress()
	return say("Successfully imported the appliance.")
}

func cloneVM(h *host, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	o, err := options(args[1:])
	if err != nil {
		return err
	}
	if err := h.change(func(s *store) error {
		master, err := s.find(args[0])
		if err != nil {
			return err
		}
		if s.named(o["--name"]) {
			return failure{text: fmt.Sprintf("Machine '%s' already exists", o["--name"]), code: "VBOX_E_FILE_ERROR (0x80bb0004)"}
		}
		clone := newMachine(o["--name"])
		if id := o["--uuid"]; id != "" {
			clone.ID = id
		}
		if name := o["--snapshot"]; name != "" {
			base, err := master.snapshot(name)
			if err != nil {
				return err
			}
			clone.Settings, clone.Parent = base.Settings.clone(), base.ID
		} else {
			clone.Settings = master.Settings.clone()
		}
		clone.Settings.MAC = mac()
		s.Machines = append(s.Machines, clone)
		return nil
	}); err != nil {
		return err
	}
	progress()
	return say(fmt.Sprintf("Machine has been successfully cloned as %q", o["--name"]))
}

// stopped gives a machine that may be changed; states are those of the guests.
func (s *store) stopped(idOrName string, states map[string]string) (*vm, error) {
	m, err := s.find(idOrName)
	if err != nil {
		return nil, err
	}
	switch m.state(states) {
	case "poweroff":
		if m.closing() == nil {
			return m, nil
		}
	case "saved":
		return nil, failure{text: "The machine is not mutable (state is Saved)", code: "VBOX_E_INVALID_VM_STATE (0x80bb0002)"}
	}
	return nil, failure{text: fmt.Sprintf("The machine '%s' is already locked by a session (or being locked or unlocked)", m.Name), code: "VBOX_E_INVALID_OBJECT_STATE (0x80bb0007)"}
}

// cardOption is an option about one network card: --nic2, --hostonlyadapter2.
var cardOption = regexp.MustCompile(`^--(nic|hostonlyadapter|macaddress|cableconnected|nictype|nicpromisc|intnet|natpf|natdnsproxy|natdnshostresolver)(\d)$`)

func modifyVM(h *host, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	states, err := h.states()
	if err != nil {
		return err
	}
	return h.change(func(s *store) error {
		m, err := s.stopped(args[0], states)
		if err != nil {
			return err
		}
		for rest := args[1:]; len(rest) > 0; {
			if len(rest) < 2 {
				return fmt.Errorf("%w: %q", errUsage, rest[0])
			}
			used, err := m.modify(s, rest)
			if err != nil {
				return err
			}
			rest = rest[used:]
		}
		return nil
	})
}

// modify applies the first option and says how many words it had.
func (m *vm) modify(s *store, args []string) (int, error) {
	option, value := args[0], args[1]
	number := func(into *int) (err error) {
		*into, err = strconv.Atoi(value)
		return err
	}
	if f := cardOption.FindStringSubmatch(option); f != nil {
		n, err := strconv.Atoi(f[2])
		if err != nil {
			return 0, err
		}
		return m.modifyCard(f[1], n, args)
	}
	switch option {
	case "--name":
		// What VirtualBox minds is the folder: GROUP/NAME. Two machines of one name in two groups are fine with it.
		if slices.ContainsFunc(s.Machines, func(x *vm) bool { return x != m && x.Name == value && x.Group == m.Group }) {
			return 0, failure{text: fmt.Sprintf("Could not rename the directory to '%s': VERR_ALREADY_EXISTS", value), code: "VBOX_E_FILE_ERROR (0x80bb0004)"}
		}
		m.Name = value
	case "--groups":
		m.Group = value
	case "--memory":
		return 2, number(&m.Settings.Memory)
	case "--cpus":
		return 2, number(&m.Settings.CPUs)
	case "--rtcuseutc", "--audio", "--vrde", "--ioapic", "--paravirtprovider":
		m.Settings.Other[option] = value
	default:
		return 0, failure{text: fmt.Sprintf("Unknown option: %s", option)}
	}
	return 2, nil
}

func (m *vm) modifyCard(what string, n int, args []string) (int, error) {
	value := args[1]
	card, ok := m.Settings.NICs[n]
	if !ok {
		card = nic{Kind: "none", MAC: mac()}
	}
	switch what {
	case "nic":
		card.Kind = value
	case "hostonlyadapter", "intnet":
		card.Network = value
	case "macaddress":
		if value == "auto" {
			value = mac()
		}
		card.MAC = value
		if n == 1 {
			m.Settings.MAC = value
		}
	case "natpf":
		if value == "delete" {
			if len(args) < 3 {
				return 0, errUsage
			}
			m.Settings.Forwards = slices.DeleteFunc(m.Settings.Forwards, func(f forward) bool { return f.Name == args[2] })
			return 3, nil
		}
		f, err := parseForward(value)
		if err != nil {
			return 0, err
		}
		m.Settings.Forwards = append(m.Settings.Forwards, f)
		return 2, nil
	default:
		m.Settings.Other[args[0]] = value
		return 2, nil
	}
	m.Settings.NICs[n] = card
	return 2, nil
}

func parseForward(text string) (forward, error) {
	p := strings.Split(text, ",")
	if len(p) != 6 {
		return forward{}, failure{text: "Invalid parameters: " + text}
	}
	hostPort, err := strconv.Atoi(p[3])
	guestPort, err2 := strconv.Atoi(p[5])
	return forward{Name: p[0], Proto: p[1], HostIP: p[2], HostPort: hostPort, GuestIP: p[4], GuestPort: guestPort}, errors.Join(err, err2)
}

func startVM(h *host, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	states, err := h.states()
	if err != nil {
		return err
	}
	var m *vm
	if err := h.change(func(s *store) (err error) {
		if m, err = s.find(args[0]); err == nil && m.state(states) == "saved" {
			err = h.incus.action(h.ctx, m, "unfreeze")
		} else if err == nil {
			_, err = s.stopped(args[0], states)
		}
		if err != nil {
			return err
		}
		m.Changed, m.Frozen = time.Now().UTC(), ""
		return nil
	}); err != nil {
		return err
	}
	if err := say(fmt.Sprintf("Waiting for VM %q to power on...", args[0])); err != nil {
		return err
	}
	if m.state(states) == "saved" {
		return say(fmt.Sprintf("VM %q has been successfully started.", args[0]))
	}
	if !m.Guest {
		if err := h.incus.create(h.ctx, m); err != nil {
			return err
		}
		if err := h.change(func(s *store) error {
			m, err := s.find(args[0])
			if err == nil {
				m.Guest = true
			}
			return err
		}); err != nil {
			return err
		}
	}
	if err := h.incus.start(h.ctx, m); err != nil {
		return err
	}
	if err := h.note(m.ID, func(m *vm) { m.Started = true }); err != nil {
		return err
	}
	return say(fmt.Sprintf("VM %q has been successfully started.", args[0]))
}

func controlVM(h *host, args []string) error {
	if len(args) < 2 {
		return errUsage
	}
	m, err := h.find(args[0])
	if err != nil {
		return err
	}
	states, err := h.states()
	if err != nil {
		return err
	}
	is := m.state(states)
	switch {
	case is == "poweroff" && m.closing() != nil && args[1] == "poweroff":
		return failure{text: "Invalid machine state: PoweredOff (must be Running, Paused or Stuck)", code: "VBOX_E_INVALID_VM_STATE (0x80bb0002)"}
	case is == "poweroff", is == "saved":
		return failure{text: fmt.Sprintf("Machine '%s' is not currently running.", m.Name)}
	case is == "gurumeditation" && args[1] != "poweroff":
		return failure{text: "Invalid machine state: GuruMeditation", code: "VBOX_E_INVALID_VM_STATE (0x80bb0002)"}
	}
	switch args[1] {
	case "poweroff":
		if is != "running" { // a frozen guest cannot be stopped
			err = h.incus.action(h.ctx, m, "unfreeze")
		}
		err = errors.Join(err, h.incus.action(h.ctx, m, "stop"), h.note(m.ID, func(m *vm) { m.Frozen = "" }))
		progress()
	case "acpipowerbutton":
		err = h.incus.press(h.ctx, m)
	case "pause":
		err = h.incus.action(h.ctx, m, "freeze")
	case "resume":
		err = h.incus.action(h.ctx, m, "unfreeze")
	case "savestate":
		err = errors.Join(h.incus.action(h.ctx, m, "freeze"), h.note(m.ID, func(m *vm) { m.Frozen = "saved" }))
		progress()
	default:
		err = fmt.Errorf("%w: the stand-in does not know controlvm %s", errUsage, args[1])
	}
	return err
}

// note changes what is kept of a machine.
func (h *host) note(id string, change func(*vm)) error {
	return h.change(func(s *store) error {
		m, err := s.find(id)
		if err == nil {
			change(m)
		}
		return err
	})
}

// crash leaves a machine as a triple fault does: it does nothing any more and is neither listed as running nor off.
func crash(h *host, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	m, err := h.find(args[0])
	if err != nil {
		return err
	}
	return errors.Join(h.incus.action(h.ctx, m, "freeze"), h.note(m.ID, func(m *vm) { m.Frozen = "gurumeditation" }))
}

// unregisterVM removes a machine with its disks. One whose disks others are clones of is forgotten all the same, and
// then its disks cannot be deleted.
func unregisterVM(h *host, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	states, err := h.states()
	if err != nil {
		return err
	}
	var inUse error
	err = h.change(func(s *store) error {
		m, err := s.find(args[0])
		if err != nil {
			return err
		}
		if is := m.state(states); is == "saved" {
			err = errors.Join(h.incus.action(h.ctx, m, "unfreeze"), h.incus.action(h.ctx, m, "stop"))
		} else if is != "poweroff" || m.closing() != nil {
			err = failure{text: fmt.Sprintf("Cannot unregister the machine '%s' while it is locked", m.Name), code: "VBOX_E_INVALID_OBJECT_STATE (0x80bb0007)"}
		}
		if err != nil {
			return err
		}
		for _, other := range s.Machines {
			if slices.ContainsFunc(m.Snapshots, func(x *snapshot) bool { return x.ID == other.Parent }) {
				inUse = failure{text: fmt.Sprintf("Cannot close medium of '%s' because it has child media", m.Name), code: "VBOX_E_OBJECT_IN_USE (0x80bb000c)"}
			}
		}
		if m.Guest {
			if err := h.incus.do(h.ctx, "DELETE", m.path(), nil); err != nil && !errors.Is(err, errMissing) {
				return err
			}
		}
		s.Machines = slices.DeleteFunc(s.Machines, func(x *vm) bool { return x == m })
		return nil
	})
	if err = errors.Join(err, inUse); err == nil {
		progress()
	}
	return err
}
