package incus

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A podium that was killed leaves the server at work: it goes on with what it was asked for, and refuses whatever else
// is wanted of the same instance meanwhile. The next podium waits for that.

// operation is what the API says of work of the server:
// https://linuxcontainers.org/incus/docs/main/api/#/operations/operation_get
type operation struct {
	ID          string              `json:"id"`
	Class       string              `json:"class"` // task: the server's own work; websocket: a command in an instance
	Description string              `json:"description"`
	Status      string              `json:"status"`
	Resources   map[string][]string `json:"resources"` // paths by kind: /1.0/instances/NAME, and ?project=
}

// concerns reports whether it changes an instance and is not over.
func (o operation) concerns(instance string) bool {
	return o.Class == "task" && (o.Status == "Running" || o.Status == "Pending") &&
		slices.ContainsFunc(o.Resources["instances"], func(path string) bool {
			path, _, _ = strings.Cut(path, "?")
			return path == "/1.0/instances/"+url.PathEscape(instance)
		})
}

// operations lists what the server does in the lab's project.
func (p *Provider) operations(ctx context.Context) ([]operation, error) {
	var byStatus map[string][]operation
	if err := p.client.query(ctx, "GET", "/1.0/operations?recursion=1", nil, &byStatus); err != nil {
		return nil, p.explain("asking what the server is doing", err)
	}
	var all []operation
	for _, some := range byStatus {
		all = append(all, some...)
	}
	return all, nil
}

// await waits until none of the operations concerns the instance any more, and reports whether one did.
func (p *Provider) await(ctx context.Context, node, instance string, all []operation) (waited bool, err error) {
	for _, o := range all {
		if !o.concerns(instance) {
			continue
		}
		waited = true
		p.log.Warn("waiting for what the server is doing with it already", "node", node, "operation", o.Description)
		err := p.client.query(ctx, "GET", "/1.0/operations/"+url.PathEscape(o.ID)+"/wait", nil, nil)
		if err != nil && !says(err, "not found") { // it was over, and is forgotten
			return true, p.explain("waiting for "+instance, err)
		}
	}
	return waited, nil
}

// settled is a node's instance once what Prepare found under way with it is over; ok is false if there is none then.
func (p *Provider) settled(ctx context.Context, name string, i instance, ok bool) (instance, bool, error) {
	waited, err := p.await(ctx, name, instanceName(p.place.Lab, name), p.underway)
	if err != nil || !waited {
		return i, ok, err
	}
	return p.look(ctx, name)
}

// unlessBusy does something to a node's instance, and once more after what the server was doing with it already.
func (p *Provider) unlessBusy(ctx context.Context, name string, i instance, do func() error) error {
	err := do()
	if !says(err, "Instance is busy") {
		return err
	}
	all, asked := p.operations(ctx)
	if asked != nil {
		return err
	}
	if _, waited := p.await(ctx, name, i.Name, all); waited != nil {
		return waited
	}
	return do()
}

// networkTime is how long the server may take to make a network.
var networkTime = 30 * time.Second // tests wait less

// networkMade waits for a network that the server is still making; ok is false if there is none in the end.
func (p *Provider) networkMade(ctx context.Context, n network) (now network, ok bool, err error) {
	for until := time.Now().Add(networkTime); n.Status == "Pending" && time.Now().Before(until); {
		select {
		case <-ctx.Done():
			return n, true, context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
		err := p.client.queryIn(ctx, "default", "GET", "/1.0/networks/"+url.PathEscape(n.Name), nil, &n)
		if says(err, "not found") {
			return n, false, nil
		}
		if err != nil {
			return n, true, p.explain("looking at network "+n.Name, err)
		}
	}
	if n.Status != "Pending" {
		return n, true, nil
	}
	// The server itself was cut off: what it left is the lab's, and nobody's.
	p.log.Warn("its network was never finished: making it again", "network", n.Name)
	err = p.client.queryIn(ctx, "default", "DELETE", "/1.0/networks/"+url.PathEscape(n.Name), nil, nil)
	if err != nil && !says(err, "not found") {
		return n, true, p.explain("removing network "+n.Name, err)
	}
	return n, false, nil
}
