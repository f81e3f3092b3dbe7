package cluster

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// imageStore is where a runtime keeps its images, and how it finds mirrors.
type imageStore struct {
	list   string                                         // file with a line for each change: the name of an image that came, or removed and that of one that went
	mirror func(m *guest.Machine, registry string) string // "" where a registry has none
}

// removed stands before the name of an image that went.
const removed = "-"

// all lists the images that lie on the machine.
func (s imageStore) all(m *guest.Machine) []string {
	text, err := m.FS.ReadFile(vfs.Root(), s.list)
	if err != nil {
		return nil
	}
	var images []string
	for _, line := range strings.Fields(text) {
		ref, gone := strings.CutPrefix(line, removed)
		switch at := slices.Index(images, ref); {
		case gone && at >= 0:
			images = slices.Delete(images, at, at+1)
		case !gone && at < 0:
			images = append(images, ref)
		}
	}
	return images
}

func (s imageStore) add(m *guest.Machine, ref string) error { return s.note(m, ref) }

func (s imageStore) remove(m *guest.Machine, ref string) error { return s.note(m, removed+ref) }

// note appends a line: several images come and go at the same time, and none of these changes may be lost.
func (s imageStore) note(m *guest.Machine, line string) error {
	file, err := m.FS.Open(vfs.Root(), s.list, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write([]byte(line + "\n"))
	return errors.Join(err, file.Close())
}

// containerdImages are those of containerd, with the mirrors of a folder of hosts.toml files; "" has none.
func containerdImages(certsDir string) imageStore {
	return imageStore{
		list:   "/var/lib/containerd/io.containerd.metadata.v1.bolt/images",
		mirror: func(m *guest.Machine, registry string) string { return mirrorOf(m, certsDir, registry) },
	}
}

const imageSize = 60 << 20 // bytes on disk, about

// canonical is the full name of an image: registry, path and tag.
func canonical(ref string) string {
	first, _, slash := strings.Cut(ref, "/")
	switch {
	case !slash:
		ref = "docker.io/library/" + ref
	case !strings.ContainsAny(first, ".:") && first != "localhost":
		ref = "docker.io/" + ref
	}
	if !strings.Contains(path.Base(ref), ":") && !strings.Contains(ref, "@") {
		ref += ":latest"
	}
	return ref
}

// pull fetches an image by way of the runtime's mirrors, if it is not there already.
func pull(ctx context.Context, m *guest.Machine, store imageStore, ref string) error {
	ref = canonical(ref)
	if slices.Contains(store.all(m), ref) {
		return nil
	}
	registry, name, _ := strings.Cut(ref, "/")
	repository, tag := name, "latest"
	if i := strings.LastIndexByte(name, ':'); i > 0 {
		repository, tag = name[:i], name[i+1:]
	}
	fail := func(format string, args ...any) error {
		return fmt.Errorf("failed to pull and unpack image %q: failed to resolve reference %q: %s", ref, ref, fmt.Sprintf(format, args...))
	}
	base := "https://" + strings.Replace(registry, "docker.io", "registry-1.docker.io", 1)
	if mirror := store.mirror(m, registry); mirror != "" {
		base = mirror
	}
	at := strings.TrimSuffix(base, "/") + "/v2/" + repository + "/manifests/" + tag
	u, err := url.Parse(base)
	if err != nil || u.Hostname() == "" {
		return fail("parse %q: invalid host", base)
	}
	port := map[string]int{"http": 80}[u.Scheme]
	if n, err := strconv.Atoi(u.Port()); err == nil {
		port = n
	} else if port == 0 {
		port = 443
	}
	if _, err := m.Net.Dial(ctx, m, u.Hostname(), port); err != nil {
		return fail("failed to do request: Head %q: dial tcp: %v", at, err)
	}
	if m.Faults != nil {
		if err := m.Faults.Download(m, at); err != nil {
			return fail("failed to do request: Head %q: %v", at, err)
		}
	}
	if strings.Contains(tag, "no-such") || strings.ToLower(repository) != repository { // what a lesson on errors needs
		return fail("%s: not found", ref)
	}
	if err := m.FS.Occupy(imageSize); err != nil {
		return fmt.Errorf("failed to pull and unpack image %q: failed to extract layer: write: no space left on device", ref)
	}
	if err := m.FS.MkdirAll(vfs.Root(), path.Dir(store.list), 0o755); err != nil {
		return fmt.Errorf("failed to pull and unpack image %q: %w", ref, err)
	}
	if err := store.add(m, ref); err != nil {
		return fmt.Errorf("failed to pull and unpack image %q: failed to copy: write %s: %s", ref, store.list, strings.ToLower(guest.Reason(err)))
	}
	return nil
}

// mirrorOf is the first host of a registry's hosts.toml, or of _default's; "" if there is none.
func mirrorOf(m *guest.Machine, certsDir, registry string) string {
	if certsDir == "" {
		return ""
	}
	for _, name := range []string{registry, "_default"} {
		text, err := m.FS.ReadFile(vfs.Root(), certsDir+"/"+name+"/hosts.toml")
		if err != nil {
			continue
		}
		for line := range strings.Lines(text) {
			if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "[host."); ok {
				return strings.Trim(strings.TrimSuffix(rest, "]"), `"'`)
			}
		}
	}
	return ""
}

// digest makes something that looks like the digest of an image.
func digest(ref string) string {
	h := fnv.New64a()
	h.Write([]byte(ref))
	return fmt.Sprintf("sha256:%016x%016x%016x%016x", h.Sum64(), h.Sum64()*3, h.Sum64()*5, h.Sum64()*7)
}
