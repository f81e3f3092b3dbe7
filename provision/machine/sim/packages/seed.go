package packages

import (
	"fmt"
	"path"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/image"
	"podium/provision/machine/sim/systemd"
	"podium/provision/machine/sim/vfs"
)

// Seed installs the packages that a box comes with.
func Seed(d image.Distribution, fs *vfs.FS) error {
	m := &guest.Machine{Name: "image", FS: fs, Hardware: guest.Hardware{Arch: "amd64"}}
	db := &database{records: map[string]*record{}}
	for _, p := range InstalledAtFirst(d) {
		if err := unpack(fs, p); err != nil {
			return fmt.Errorf("install %s: %w", p.Name, err)
		}
		if err := accounts(m, p); err != nil {
			return fmt.Errorf("install %s: %w", p.Name, err)
		}
		for _, unit := range p.Units {
			if err := systemd.Enable(m, unit, nil); err != nil {
				return fmt.Errorf("install %s: %w", p.Name, err)
			}
		}
		db.records[p.Name] = recordOf(p, "amd64")
	}
	if err := fs.MkdirAll(vfs.Root(), path.Dir(statusFile), 0o755); err != nil {
		return err
	}
	return db.write(fs)
}
