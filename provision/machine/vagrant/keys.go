package vagrant

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"podium/provision/remote"
)

// insecureRSA is the middle of the public key that every box comes with
// (https://github.com/hashicorp/vagrant/blob/main/keys/vagrant.pub). Its comment and that of its ed25519 sister is
// insecureComment.
const (
	insecureRSA     = "NzaC1yc2EAAAABIwAAAQEA6NF8iallvQVp22WDkTkyrtvp9eWW6A8YVr+kz4TjGYe7gHzIw+niNltGEFHzD8+v1I2YJ6oXevct1YeS0o9H"
	insecureComment = "vagrant insecure public key"
)

// installKey adds the lab's key to the login's own, and takes out those that the whole world has. The file is replaced
// whole, so that a cut connection leaves the old one.
const installKey = `set -eu
umask 077
mkdir -p ~/.ssh
cd ~/.ssh
touch authorized_keys
{ grep -v -F -e "$2" -e "$3" -e "$1" authorized_keys || true; printf '%s\n' "$1"; } > authorized_keys.podium
mv authorized_keys.podium authorized_keys
sync
`

// replaceKey lets the lab's key in, with whichever key opens the machine now: the one Vagrant has made for it, or the
// one the box came with. A machine that knows the lab's key already is left alone.
func (p *Provider) replaceKey(ctx context.Context, f *found, at remote.Endpoint) error {
	if p.o.Dialer == nil || p.spec.PublicKey == "" {
		return nil
	}
	host, err := p.o.Dialer.Dial(ctx, at)
	if err == nil {
		return host.Close()
	}
	if !errors.Is(err, remote.ErrAuth) {
		return fmt.Errorf("%s: %w", at.Node, err)
	}
	tried := []error{err}
	for _, key := range p.vagrantKeys(f, at.Node) {
		with := at
		with.KeyFile = key
		host, err := p.o.Dialer.Dial(ctx, with)
		if errors.Is(err, remote.ErrAuth) {
			tried = append(tried, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", at.Node, err)
		}
		return errors.Join(p.installKey(ctx, host), host.Close())
	}
	return fmt.Errorf("%s: no key opens the machine: the box may want another `user:` than %q: %w", at.Node, at.User, errors.Join(tried...))
}

// installKey lets the lab's key into a machine, and everybody's out.
func (p *Provider) installKey(ctx context.Context, host remote.Host) error {
	if _, err := host.Run(ctx, remote.Command{
		Args: []string{"sh", "-c", installKey, "install-key", strings.TrimSpace(p.spec.PublicKey), insecureRSA, insecureComment},
	}); err != nil {
		return fmt.Errorf("%s: install the lab's key: %w", host.Name(), err)
	}
	return nil
}

// vagrantKeys lists the private keys that a machine may answer to after its first boot, the likely one first.
func (p *Provider) vagrantKeys(f *found, name string) []string {
	candidates := []string{
		filepath.Join(p.dataDir(name), "private_key"),
		filepath.Join(f.home, "insecure_private_keys", "vagrant.key.ed25519"),
		filepath.Join(f.home, "insecure_private_keys", "vagrant.key.rsa"),
		filepath.Join(f.home, "insecure_private_key"),
	}
	var keys []string
	for _, path := range candidates {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			keys = append(keys, path)
		}
	}
	return keys
}
