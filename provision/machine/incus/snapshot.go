package incus

import (
	"context"
	"fmt"
	"net/url"

	"podium/provision/machine"
)

// Snapshot keeps a stopped machine's disk under tag. One with that tag that is there already is replaced.
func (p *Provider) Snapshot(ctx context.Context, name, tag string) error {
	i, err := p.mustFind(ctx, name)
	if err != nil {
		return err
	}
	body := map[string]any{"name": tag, "stateful": false}
	err = p.client.query(ctx, "POST", path(i, "/snapshots"), body, nil)
	if says(err, "UNIQUE constraint failed") {
		if err = p.DeleteSnapshot(ctx, name, tag); err == nil {
			err = p.client.query(ctx, "POST", path(i, "/snapshots"), body, nil)
		}
	}
	return p.explain(fmt.Sprintf("snapshot %s of %s", tag, name), err)
}

// Restore brings a snapshot's disk back and leaves the machine stopped.
func (p *Provider) Restore(ctx context.Context, name, tag string) error {
	i, err := p.mustFind(ctx, name)
	if err != nil {
		return err
	}
	if i.state() != machine.Stopped { // Incus would start it again by itself
		at := path(i, "/snapshots/"+url.PathEscape(tag))
		if err := p.client.query(ctx, "GET", at, nil, nil); says(err, "not found") {
			return fmt.Errorf("%s: %w: %q", name, machine.ErrNoSnapshot, tag)
		}
		if err := p.stop(ctx, name, i, true); err != nil {
			return err
		}
	}
	err = p.client.query(ctx, "PUT", path(i, ""), map[string]string{"restore": tag}, nil)
	if says(err, "does not exist") || says(err, "not found") {
		return fmt.Errorf("%s: %w: %q", name, machine.ErrNoSnapshot, tag)
	}
	return p.explain(fmt.Sprintf("restoring %s to %s", name, tag), err)
}

// DeleteSnapshot forgets a snapshot.
func (p *Provider) DeleteSnapshot(ctx context.Context, name, tag string) error {
	i, ok, err := p.find(ctx, name)
	if err != nil || !ok {
		return err
	}
	err = p.client.query(ctx, "DELETE", path(i, "/snapshots/"+url.PathEscape(tag)), nil, nil)
	if says(err, "not found") {
		return nil
	}
	return p.explain(fmt.Sprintf("removing snapshot %s of %s", tag, name), err)
}

func (p *Provider) mustFind(ctx context.Context, name string) (instance, error) {
	i, ok, err := p.find(ctx, name)
	if err == nil && !ok {
		err = fmt.Errorf("%s: %w", name, machine.ErrNotFound)
	}
	return i, err
}
