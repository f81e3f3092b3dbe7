//go:build linux

// Command vboxmanage stands in for VirtualBox's VBoxManage where VirtualBox cannot run, so that unmodified Vagrant can
// be tried with its VirtualBox provider. It is a test program and no part of podium.
//
// Machines are kept in a JSON file; each that runs is an Incus system container with a real systemd and sshd. Answers
// have the formats of VirtualBox 7.0 to 7.2. Known are the commands that Vagrant 2.3 and 2.4 and podium use; all others
// fail, as does what needs a real disk. The memory of a machine is "saved" by freezing its guest.
//
//	PODIUM_VBOX_DIR      folder of machines.json and of the lock (required)
//	PODIUM_VBOX_IMAGE    Incus image that every box stands for (required for startvm)
//	PODIUM_VBOX_VERSION  what --version says (default 7.0.20r163906)
//	INCUS_SOCKET         where the Incus daemon listens
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

// failure is an answer of VirtualBox that is an error.
type failure struct {
	out  string // on stdout
	text string // on stderr, after "VBoxManage: error: "
	code string // VirtualBox's name of it, empty: none
}

func (f failure) Error() string { return f.text }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err == nil {
		return
	}
	var f failure
	if errors.As(err, &f) {
		fmt.Print(f.out)
		if f.text != "" {
			fmt.Fprintf(os.Stderr, "VBoxManage: error: %s\n", f.text)
		}
		if f.code != "" {
			fmt.Fprintf(os.Stderr, "VBoxManage: error: Details: code %s, component VirtualBoxWrap, interface IVirtualBox, callee nsISupports\n", f.code)
		}
	} else {
		fmt.Fprintf(os.Stderr, "VBoxManage: error: %v\n", err)
	}
	os.Exit(1)
}

// command is one of VBoxManage's; args are those after its name.
type command func(h *host, args []string) error

var errUsage = errors.New("invalid parameter")

// commands are looked up by the first word, and by all words for lists.
func commands() map[string]command {
	return map[string]command{
		"--version":             func(*host, []string) error { return say(version()) },
		"-v":                    func(*host, []string) error { return say(version()) },
		"list vms":              listVMs,
		"list --long vms":       listLong,
		"list runningvms":       listRunning,
		"list hostonlyifs":      listHostOnly,
		"list bridgedifs":       func(*host, []string) error { return nil },
		"list dhcpservers":      func(*host, []string) error { return nil },
		"list hdds":             func(*host, []string) error { return nil },
		"list systemproperties": listProperties,
		"showvminfo":            showInfo,
		"import":                importBox,
		"clonevm":               cloneVM,
		"modifyvm":              modifyVM,
		"startvm":               startVM,
		"controlvm":             controlVM,
		"snapshot":              snapshots,
		"unregistervm":          unregisterVM,
		"hostonlyif":            hostOnly,
		"guestproperty":         func(*host, []string) error { return say("No value set!") },
		"dhcpserver":            func(*host, []string) error { return failure{text: "DHCP server does not exist"} },
		"sharedfolder":          func(*host, []string) error { return nil },
		"setextradata":          func(*host, []string) error { return nil },
		"crash":                 crash, // the stand-in's own: what a triple fault does
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	name, rest := args[0], args[1:]
	if name == "list" {
		if len(rest) == 0 {
			return errUsage
		}
		name, rest = "list "+strings.Join(rest, " "), nil
	}
	do, ok := commands()[name]
	if !ok {
		return fmt.Errorf("%w: the stand-in does not know %q", errUsage, strings.Join(args, " "))
	}
	dir := os.Getenv("PODIUM_VBOX_DIR")
	if dir == "" {
		return errors.New("the stand-in needs PODIUM_VBOX_DIR")
	}
	return do(&host{ctx: ctx, dir: dir, incus: newIncus()}, rest)
}

func version() string {
	if v := os.Getenv("PODIUM_VBOX_VERSION"); v != "" {
		return v
	}
	return "7.0.20r163906"
}

func say(lines ...string) error {
	for _, l := range lines {
		fmt.Println(l)
	}
	return nil
}

// progress is what VirtualBox shows on stderr while it works.
func progress() {
	fmt.Fprintln(os.Stderr, "0%...10%...20%...30%...40%...50%...60%...70%...80%...90%...100%")
}
