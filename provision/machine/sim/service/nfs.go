package service

import (
	"context"
	"path"
	"slices"
	"strings"
	"sync"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

const nfsPort = 2049

// nfs is the kernel's NFS server.
type nfs struct {
	mu     sync.Mutex
	shares []share
	stop   func() // nil while it does not serve
}

// share is a folder that a network may mount.
type share struct{ folder, network, options string }

type nfsKey struct{}

func nfsOf(k *guest.Kernel) *nfs { return guest.Value(k, nfsKey{}, func() *nfs { return &nfs{} }) }

// nfsd starts the server, or stops it when it is told to have no threads.
func nfsd(_ context.Context, p *guest.Process) int {
	if p.Cred.UID != 0 {
		return p.Fail(1, "Unable to access /proc/fs/nfsd errno 13 (Permission denied)")
	}
	n := nfsOf(p.Kernel)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stop != nil {
		n.stop()
		n.stop = nil
	}
	if slices.Contains(p.Args[1:], "0") {
		return 0
	}
	stop, err := p.Kernel.Listen(nfsPort, guest.HandlerFunc(n.mount))
	if err != nil {
		return p.Fail(1, "writing fd to kernel failed: errno 98 (Address already in use)")
	}
	n.stop = stop
	n.shares = readExports(p.FS())
	return 0
}

// mount says whether a folder may be mounted: 200, or 403.
func (n *nfs) mount(_ context.Context, r guest.Request) guest.Response {
	n.mu.Lock()
	defer n.mu.Unlock()
	if slices.ContainsFunc(n.shares, func(s share) bool { return s.folder == r.Path }) {
		return guest.Response{Code: 200}
	}
	return guest.Response{Code: 403, Body: "access denied by server while mounting\n"}
}

// exportfs reads which folders are shared, or shows it.
func exportfs(_ context.Context, p *guest.Process) int {
	n := nfsOf(p.Kernel)
	n.mu.Lock()
	defer n.mu.Unlock()
	show := len(p.Args) == 1
	for _, a := range p.Args[1:] {
		switch a {
		case "-r", "-a", "-ra", "-ar":
			n.shares = readExports(p.FS())
		case "-v", "-s":
			show = true
		default:
			return p.Fail(1, "the simulator's model has only -r, -a and -v")
		}
	}
	for _, s := range n.shares {
		if _, err := p.FS().Stat(vfs.Root(), s.folder); err != nil {
			p.Errorf("exportfs: Failed to stat %s: No such file or directory", s.folder)
			return 1
		}
		if show {
			p.Printf("%s\n\t\t%s(%s)\n", s.folder, s.network, s.options)
		}
	}
	return 0
}

// readExports reads /etc/exports and the files beside it, as exports(5) has them.
func readExports(files *vfs.FS) []share {
	names := []string{"/etc/exports"}
	if entries, err := files.ReadDir(vfs.Root(), "/etc/exports.d"); err == nil {
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".exports") {
				names = append(names, path.Join("/etc/exports.d", e.Name()))
			}
		}
	}
	var shares []share
	for _, name := range names {
		text, err := files.ReadFile(vfs.Root(), name)
		if err != nil {
			continue
		}
		for line := range strings.Lines(text) {
			words := strings.Fields(line)
			if len(words) < 2 || strings.HasPrefix(words[0], "#") {
				continue
			}
			for _, client := range words[1:] {
				network, options, _ := strings.Cut(strings.TrimSuffix(client, ")"), "(")
				shares = append(shares, share{words[0], network, options})
			}
		}
	}
	return shares
}
