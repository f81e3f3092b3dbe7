package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"podium/provision/machine"
	"slices"
	"strings"
)

// destroyOrphans removes machines that bear the names of the lab's nodes although Vagrant does not know them in its
// folder: what is left when .podium was deleted while the machines existed.
func (a *app) destroyOrphans(ctx context.Context, where labRef, nodes []string, yes bool) error {
	b, err := a.described(where, "")
	if errors.Is(err, fs.ErrNotExist) {
		b, err = a.remembered(where)
	}
	if err != nil {
		return err
	}
	made, err := a.provider(b)
	if err != nil {
		return err
	}
	p, ok := made.(machine.OrphanRemover)
	if !ok {
		return usage("--orphans is for virtualbox and libvirt, and this lab uses %s", b.lab.Provider)
	}
	if len(nodes) == 0 {
		nodes = b.nodeNames()
		for _, m := range b.plan.Machines {
			nodes = append(nodes, m.Name)
		}
	}
	orphans, err := p.Orphans(ctx, nodes)
	if err != nil {
		return err
	}
	if len(orphans) == 0 {
		fmt.Fprintln(a.stdout, "there is nothing to remove: every machine with this lab's names is known in its folder")
		return nil
	}
	unlock, err := a.lock(ctx, where, "destroy")
	if err != nil {
		return err
	}
	defer unlock()
	names := strings.Join(slices.Sorted(maps.Keys(orphans)), ", ")
	if err := a.confirm(ctx, yes, "destroy removes these machines with their disks for good: %s", names); err != nil {
		return err
	}
	if err := p.RemoveOrphans(ctx, orphans); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "removed %s\n", names)
	return nil
}
