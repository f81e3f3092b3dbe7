package incus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"

	"podium/provision/machine"
)

// What can be wrong, for callers that tell these apart by errors.Is. Each comes with what to do. What this computer
// lacks is machine.ErrPreflight too.
var (
	ErrNoClient     = machine.Lack("the incus client is not installed")
	ErrNoDaemon     = machine.Lack("incus does not answer")
	ErrPermission   = machine.Lack("incus refuses")
	ErrNoRemote     = machine.Lack("no such incus remote")
	ErrNoImage      = machine.Lack("no such image")
	ErrPoolFull     = errors.New("the storage pool is full")
	ErrNetworkTaken = machine.Lack("the lab's network is taken")
	ErrNameTaken    = errors.New("the name is taken")
	ErrNotCapable   = machine.Lack("this incus cannot do that")
)

// Error is what Incus refused or failed to do.
type Error struct {
	Doing string // "creating w1"
	Kind  error  // one of the above; nil: none of them
	Text  string // what Incus said
	Hint  string // what to do; may be empty

	early bool // found by Prepare, before anything was changed
}

// Error names what was being done, what is wrong and what to do.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Doing)
	if e.Kind != nil {
		fmt.Fprintf(&b, ": %v", e.Kind)
	}
	if e.Text != "" {
		fmt.Fprintf(&b, ": %s", e.Text)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, ": %s", e.Hint)
	}
	return b.String()
}

// Unwrap gives the kind, and machine.ErrPreflight when nothing was changed yet.
func (e *Error) Unwrap() []error {
	var kinds []error
	if e.Kind != nil {
		kinds = append(kinds, e.Kind)
	}
	if e.early {
		kinds = append(kinds, machine.ErrPreflight)
	}
	return kinds
}

// complaints knows Incus's errors by a part of their text: it has no codes that its client shows. The first that fits
// counts. Texts are those of Incus 6.0.
var complaints = []struct {
	part string
	kind error
	hint string // {remote}, {project} and {pool} are filled in
}{
	{"have the needed permissions", ErrPermission, "add yourself to its group and log in again: sudo usermod -aG incus-admin $USER"},
	{"permission denied", ErrPermission, "add yourself to its group and log in again: sudo usermod -aG incus-admin $USER"},
	{"daemon doesn't appear to be started", ErrNoDaemon, "start it: sudo systemctl start incus"},
	{"not authorized", ErrPermission, "ask the server's administrator for access to project {project}, then: incus remote add {remote}"},
	{"Forbidden", ErrPermission, "ask the server's administrator for access to project {project}, then: incus remote add {remote}"},
	{"Privileged containers are forbidden", ErrPermission, "project {project} is restricted; Kubernetes in containers needs: incus project set {project} restricted.containers.privilege=allow restricted.containers.lowlevel=allow restricted.containers.nesting=allow; or write instance: vm"},
	{"is forbidden", ErrPermission, "project {project} is restricted: ask the server's administrator, or write instance: vm"},
	{"The remote \"", ErrNoRemote, "make it known to the client: incus remote add {remote} https://ADDRESS:8443; incus remote list shows those there are"},
	{"UNIQUE constraint failed: instances", ErrNameTaken, "another lab made it just now: choose another name: in lab.yaml"},
	{"doesn't match instance type", ErrNoImage, "the image is for the other kind of machine: write another incus.image, or change incus.instance"},
	{"Image not provided for instance creation", ErrNoImage, "incus image list {remote}: shows those on the server; images:ubuntu/24.04 is downloaded when it is needed"},
	{"Failed getting remote image info", ErrNoImage, "does the server reach the image server? incus image list images: shows what is there; or import one and name its alias"},
	{"Image alias not found", ErrNoImage, "incus image list {remote}: shows those on the server; images:ubuntu/24.04 is downloaded when it is needed"},
	{"Image not found", ErrNoImage, "incus image list {remote}: shows those on the server; images:ubuntu/24.04 is downloaded when it is needed"},
	{"No space left on device", ErrPoolFull, "free some: incus storage info {pool}; incus image list; incus list; or enlarge it: incus storage set {pool} size=60GiB"},
	{"no space left on device", ErrPoolFull, "free some: incus storage info {pool}; incus image list; incus list; or enlarge it: incus storage set {pool} size=60GiB"},
	{"isk quota exceeded", ErrPoolFull, "free some, or give the node a larger disk: in lab.yaml"},
	{"Address already in use", ErrNetworkTaken, "write another network: in lab.yaml, such as 10.57.0.0/24"},
	{"address already in use", ErrNetworkTaken, "write another network: in lab.yaml, such as 10.57.0.0/24"},
	{"Instance type \"virtual-machine\" is not supported", ErrNotCapable, "the server needs hardware virtualisation and QEMU for instance: vm; use instance: container"},
	{"type not operational", ErrNotCapable, "the server needs hardware virtualisation and QEMU for instance: vm; use instance: container"},
	{"subsequent snapshot", ErrNotCapable, "this pool restores only its newest snapshot: delete the newer ones first: podium snapshot delete TAG"},
	{"connection refused", ErrNoDaemon, "see its log: journalctl -u incus; then run the same command again, nothing is lost"},
	{"connection reset", ErrNoDaemon, "see its log: journalctl -u incus; then run the same command again, nothing is lost"},
	{"EOF", ErrNoDaemon, "it ended in the middle: see its log: journalctl -u incus; then run the same command again, nothing is lost"},
	{"shutting down", ErrNoDaemon, "wait until it is back, then run the same command again, nothing is lost"},
	{"no such host", ErrNoDaemon, "check the name and the network: incus remote list"},
	{"i/o timeout", ErrNoDaemon, "check the address and the network: incus remote list"},
	{"forkstart", nil, "see why: incus info --show-log INSTANCE; if no machine of this image starts, the image is damaged: incus image delete it, and podium up fetches it again"},
	{"not within network", ErrNetworkTaken, "the lab's network was made for other addresses: destroy the lab and make it again"},
	{"unable to open database file", ErrPoolFull, "the disk of the server may be full: df -h /var/lib/incus"},
	{"database or disk is full", ErrPoolFull, "the disk of the server is full: df -h /var/lib/incus"},
}

// explain turns an error of the client into one that says what to do. Errors of ctx and those that are explained
// already pass.
func (p *Provider) explain(doing string, err error) error {
	var failed *clientError
	var known *Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &known):
		return err
	case errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist):
		return &Error{Doing: doing, Kind: ErrNoClient, Hint: "install it: https://linuxcontainers.org/incus/docs/main/installing/"}
	case !errors.As(err, &failed):
		return fmt.Errorf("%s: %w", doing, err)
	}
	for _, c := range complaints {
		if !strings.Contains(failed.Error(), c.part) {
			continue
		}
		hint := strings.NewReplacer("{remote}", p.place.Remote, "{project}", p.place.Project, "{pool}", cmp.Or(p.shared.Pool, "default")).Replace(c.hint)
		return &Error{Doing: doing, Kind: c.kind, Text: brief(failed.Error(), c.part), Hint: hint}
	}
	return &Error{Doing: doing, Text: failed.Error()}
}

// longest is how much of what Incus says is shown, in bytes.
const longest = 300

// brief is what Incus says, unless that is long: it repeats whole command lines with all that they print. Then it is the
// line with the part that counts, from the last of its sentences before that.
func brief(text, part string) string {
	if len(text) <= longest {
		return text
	}
	for line := range strings.Lines(text) {
		at := strings.Index(line, part)
		if at < 0 {
			continue
		}
		from := strings.LastIndexAny(line[:at], "(;")
		return strings.TrimSpace(line[max(from+1, at-longest/2):min(len(line), at+longest/2)])
	}
	return text[:longest] + "..."
}

// says reports whether Incus's answer contains a text.
func says(err error, text string) bool {
	var failed *clientError
	return errors.As(err, &failed) && strings.Contains(failed.Text, text)
}
