package vagrant

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"podium/provision/remote"
)

//go:embed guestsetup.sh
var guestSetupScript string

// networkFile is the file inside a machine by which Vagrant has configured its private network card.
type networkFile struct {
	path    string
	mode    string // octal
	content string
	address netip.Addr // of the machine that it was read on
}

// showNetwork prints path, mode and content of that file: netplan's on Ubuntu, networkd's on Debian, as in Vagrant's
// plugins/guests/debian/cap/configure_networks.rb. There must be exactly one.
const showNetwork = `set -eu
set -- $(ls /etc/netplan/50-vagrant.yaml /etc/systemd/network/50-vagrant-*.network 2>/dev/null || true)
[ $# = 1 ] || exit 78
stat -c '%n
%a' "$1"
cat "$1"
`

// readNetwork reads the file on a machine that Vagrant has booted.
func (p *Provider) readNetwork(ctx context.Context, at remote.Endpoint) (networkFile, error) {
	known, err := p.recall(at.Node)
	if err != nil {
		return networkFile{}, err
	}
	address, err := netip.ParseAddr(known.Address)
	if err != nil {
		return networkFile{}, err
	}
	host, err := p.o.Dialer.Dial(ctx, at)
	if err != nil {
		return networkFile{}, err
	}
	result, err := host.Run(ctx, remote.Command{Args: []string{"sh", "-c", showNetwork}, Sudo: true})
	if err = errors.Join(err, host.Close()); err != nil {
		return networkFile{}, fmt.Errorf("how its network is configured: %w", err)
	}
	return parseNetworkFile(string(result.Stdout), address)
}

// parseNetworkFile reads what showNetwork prints. The file must name the address once and no hardware address, else it
// cannot serve as a pattern.
func parseNetworkFile(text string, address netip.Addr) (networkFile, error) {
	path, rest, _ := strings.Cut(text, "\n")
	mode, content, ok := strings.Cut(rest, "\n")
	n := networkFile{path: path, mode: mode, content: content, address: address}
	if !ok || len(places(content, address.String())) != 1 || strings.Contains(strings.ToLower(content), "mac") {
		return n, noClone("%q does not configure %s in a way that is known", path, address)
	}
	return n, nil
}

// forAddress is the file's content for another machine.
func (n networkFile) forAddress(address netip.Addr) string {
	i := places(n.content, n.address.String())[0]
	return n.content[:i] + address.String() + n.content[i+len(n.address.String()):]
}

// places are where an address stands in a text: not 192.168.56.1 in 192.168.56.10.
func places(text, address string) []int {
	var found []int
	part := func(i int) bool {
		return i >= 0 && i < len(text) && (text[i] == '.' || text[i] >= '0' && text[i] <= '9')
	}
	for from := 0; ; {
		i := strings.Index(text[from:], address)
		if i < 0 {
			return found
		}
		i += from
		if from = i + len(address); !part(i-1) && !part(from) {
			found = append(found, i)
		}
	}
}

// setUpGuest waits for a clone's SSH, with the key that every box has, and does inside what Vagrant does at a first boot. In
// the end the clone answers to the lab's key and to one that Vagrant finds in its folder, and to no other.
func (p *Provider) setUpGuest(ctx context.Context, f *found, m *templateMachine, at remote.Endpoint) error {
	known, err := p.recall(at.Node)
	if err != nil {
		return err
	}
	address, err := netip.ParseAddr(known.Address)
	if err != nil {
		return err
	}
	private, public, err := remote.GenerateRSAKey()
	if err != nil {
		return err
	}
	first := at
	if first.KeyFile, err = insecureKey(f.home); err != nil {
		return err
	}
	host, err := p.o.Dialer.Dial(ctx, first)
	if err != nil {
		return err
	}
	defer func() { _ = host.Close() }()
	if err := m.waitNetwork(ctx); err != nil {
		return err
	}
	n := m.network
	var stdin bytes.Buffer
	stdin.WriteString(n.forAddress(address))
	if _, err := host.Run(ctx, remote.Command{
		Args:  []string{"bash", "-c", guestSetupScript, "guestsetup.sh", at.Node, at.User, public, n.path, n.mode, address.String()},
		Sudo:  true,
		Stdin: &stdin,
	}); err != nil {
		return fmt.Errorf("set it up as Vagrant does: %w", err)
	}
	// From here on Vagrant gets in by its own key; everybody's may go.
	if err := p.write(filepath.Join(p.dataName(at.Node), "private_key"), private); err != nil {
		return err
	}
	if err := p.installKey(ctx, host); err != nil {
		return err
	}
	if meta, err := os.ReadFile(filepath.Join(m.data, "box_meta")); err == nil { // older Vagrants keep none
		if err := p.write(filepath.Join(p.dataName(at.Node), "box_meta"), meta); err != nil {
			return err
		}
	}
	if err := p.addToIndex(ctx, f.home, m, at.Node); err != nil { // only `vagrant global-status` misses it
		p.o.Log.Warn("not in Vagrant's index", "node", at.Node, "reason", err)
	}
	return nil
}

// insecureKey is the key that opens a machine fresh from a box. Boxes have always had the RSA one; of Vagrant 2.4 some
// have only the Ed25519 one, and are left to Vagrant.
func insecureKey(home string) (string, error) {
	for _, name := range []string{"insecure_private_key", filepath.Join("insecure_private_keys", "vagrant.key.rsa")} {
		if _, err := os.Stat(filepath.Join(home, name)); err == nil {
			return filepath.Join(home, name), nil
		}
	}
	return "", noClone("no key that every box has in %s", home)
}
