package vagrant

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"podium/provision/event"
	"podium/provision/lab"
)

// boxDeadline bounds a box's download: half a gigabyte over a weak line.
const boxDeadline = 3 * time.Hour

// fetchBox downloads the lab's box unless it is here. It is done once, before any machine boots, so that a failure is
// said once and a slow line does not eat the time of a boot.
func (p *Provider) fetchBox(ctx context.Context, f *found, l lab.Lab) error {
	if len(BoxFolders(f.home, l.Box, l.BoxVersion, p.o.Provider)) > 0 {
		return nil
	}
	if err := f.needVagrant(); err != nil {
		return err
	}
	p.o.Sink.Emit(event.Event{Time: time.Now(), Kind: event.Note, Text: fmt.Sprintf("downloading the box %s %s: some hundred MB, once per computer", l.Box, l.BoxVersion)})
	args := []string{"box", "add", l.Box, "--provider", p.o.Provider, "--machine-readable"}
	if l.BoxVersion != "" {
		args = append(args, "--box-version", l.BoxVersion)
	}
	out := newTranscript(func(uiLine) {})
	var stderr tail
	_, err := f.vagrant.stream(ctx, boxDeadline, out, &stderr, args...)
	var failed *CommandError
	if errors.As(err, &failed) {
		out.explain(failed, stderr.String())
		if strings.HasSuffix(failed.Class, "BoxAlreadyExists") {
			return nil
		}
		return fmt.Errorf("box %s: %w", l.Box, err)
	}
	return err
}

// BoxFolders lists where Vagrant keeps a box: home/boxes/NAME/VERSION/PROVIDER, and since 2.4 with the processor
// before the provider. An empty version is any.
func BoxFolders(home, box, version, provider string) []string {
	base := filepath.Join(home, "boxes", strings.NewReplacer("/", "-VAGRANTSLASH-", ":", "-VAGRANTCOLON-").Replace(box))
	versions, err := os.ReadDir(base)
	if err != nil {
		return nil
	}
	var folders []string
	for _, v := range versions {
		if version != "" && v.Name() != version {
			continue
		}
		for _, below := range []string{provider, filepath.Join("*", provider)} {
			found, err := filepath.Glob(filepath.Join(escapeGlob(base), escapeGlob(v.Name()), below, "metadata.json"))
			if err != nil {
				continue // the pattern is ours and valid
			}
			for _, file := range found {
				folders = append(folders, filepath.Dir(file))
			}
		}
	}
	return folders
}

// escapeGlob takes the meaning from what Glob would expand; on Windows it has no escape and such names cannot occur.
func escapeGlob(path string) string {
	if filepath.Separator == '\\' {
		return path
	}
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// sharedExists reports whether the master of the linked clones and the host-only network are there, so that no boot
// needs to go first alone. Where it is hard to tell the answer is no, which costs a few seconds.
func (p *Provider) sharedExists(ctx context.Context, f *found, l lab.Lab, vms map[string]vm) bool {
	if p.isLibvirt() {
		return false
	}
	for _, folder := range BoxFolders(f.home, l.Box, l.BoxVersion, p.o.Provider) {
		id, err := os.ReadFile(filepath.Join(folder, "master_id"))
		if err != nil {
			return false
		}
		if _, ok := vms[strings.TrimSpace(string(id))]; !ok {
			return false
		}
	}
	v, ok := f.hypervisor.(vbox)
	if !ok {
		return false
	}
	text, err := v.call(ctx, v.deadline, "list", "hostonlyifs")
	if err != nil {
		return false
	}
	network, err := netip.ParsePrefix(l.Network)
	if err != nil {
		return false
	}
	for _, card := range ParseHostOnly(text) {
		if card.Masked() == network.Masked() {
			return true
		}
	}
	return false
}

// ParseHostOnly reads `VBoxManage list hostonlyifs`: the address of this computer on each host-only card, by name.
func ParseHostOnly(text string) map[string]netip.Prefix {
	cards := map[string]netip.Prefix{}
	var name string
	var address netip.Addr
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		value = strings.TrimSpace(value)
		switch key {
		case "Name":
			name, address = value, netip.Addr{}
		case "IPAddress":
			address, _ = netip.ParseAddr(value)
		case "NetworkMask":
			mask, err := netip.ParseAddr(value)
			if err == nil && mask.Is4() && address.Is4() {
				cards[name] = netip.PrefixFrom(address, maskBits(mask))
			}
		}
	}
	return cards
}

// maskBits counts the leading ones of a mask.
func maskBits(mask netip.Addr) int {
	bits := 0
	for _, b := range mask.As4() {
		for ; b&0x80 != 0; b <<= 1 {
			bits++
		}
	}
	return bits
}
