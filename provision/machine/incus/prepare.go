package incus

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/sync/errgroup"

	"podium/provision/lab"
	"podium/provision/machine"
)

// server is what the client knows of a remote from its own configuration.
type server struct {
	Addr     string `json:"Addr"`
	Protocol string `json:"Protocol"`
	Project  string `json:"Project"`
}

// Prepare looks the server over, finds image and storage pool, and makes the lab's project (if it names one) and network.
// What is there already stays. Its errors are machine.ErrPreflight.
func (p *Provider) Prepare(ctx context.Context, s machine.Spec) error {
	err := p.prepare(ctx, s)
	var failed *Error
	if errors.As(err, &failed) {
		failed.early = true
	}
	return err
}

func (p *Provider) prepare(ctx context.Context, s machine.Spec) error {
	if s.Lab.Incus == nil {
		return fmt.Errorf("lab %s has no section incus", s.Lab.Name)
	}
	remotes, err := p.settle(ctx)
	if err != nil {
		return err
	}
	p.spec = s
	if err := p.project(ctx); err != nil {
		return err
	}
	var found shared
	var networks []network
	work, ctx2 := errgroup.WithContext(ctx)
	work.Go(func() (err error) { p.clustered, err = p.hello(ctx2); return err })
	work.Go(func() error { _, err := p.list(ctx2); return err })
	work.Go(func() (err error) { p.underway, err = p.operations(ctx2); return err })
	work.Go(func() (err error) { networks, err = p.networks(ctx2); return err })
	work.Go(func() (err error) { found.Source, err = p.image(ctx2, remotes); return err })
	work.Go(func() (err error) { found.Pool, err = p.pool(ctx2); return err })
	if err := work.Wait(); err != nil {
		return err
	}
	if err := p.namesFree(); err != nil {
		return err
	}
	if err := p.remember(); err != nil {
		return err
	}
	if found.Network, err = p.network(ctx, networks); err != nil {
		return err
	}
	found.Elsewhere = p.place.Host != ""
	found.CgroupV1 = !found.Elsewhere && p.cgroupV1
	p.shared = found
	return nil
}

// settle finds out which remote and project the client works with by itself, where the lab names none: the person may
// switch later, the lab stays where it is.
func (p *Provider) settle(ctx context.Context) (map[string]server, error) {
	if p.place.Remote == "" {
		name, err := p.client.run(ctx, nil, "remote", "get-default")
		if err != nil {
			return nil, p.explain("asking for the client's remote", err)
		}
		p.place.Remote = name
	}
	text, err := p.client.run(ctx, nil, "remote", "list", "--format", "json")
	if err != nil {
		return nil, p.explain("asking for the client's remotes", err)
	}
	var remotes map[string]server
	if err := unmarshal(text, &remotes); err != nil {
		return nil, fmt.Errorf("incus remote list: %w", err)
	}
	here, ok := remotes[p.place.Remote]
	if !ok {
		return nil, p.explain("looking for the server", &clientError{Text: fmt.Sprintf("The remote \"%s\" doesn't exist", p.place.Remote)})
	}
	if p.place.Project == "" {
		p.place.Project = here.Project
	}
	if p.place.Project == "" {
		p.place.Project = "default"
	}
	p.client.remote, p.client.project = p.place.Remote, p.place.Project
	p.place.Host = hostOf(here)
	return remotes, nil
}

// hostOf is the host of a server elsewhere; empty for the one on this computer.
func hostOf(r server) string {
	at, err := url.Parse(r.Addr)
	if err != nil || at.Scheme == "unix" {
		return ""
	}
	return at.Hostname()
}

// hello reports whether the server is a cluster. It is also the call that tells whether there is one at all.
func (p *Provider) hello(ctx context.Context) (clustered bool, err error) {
	var answer struct {
		Auth        string `json:"auth"`
		Environment struct {
			Clustered bool `json:"server_clustered"`
		} `json:"environment"`
	}
	if err := p.client.query(ctx, "GET", "/1.0", nil, &answer); err != nil {
		return false, p.explain("asking the server", err)
	}
	if answer.Auth != "trusted" {
		return false, p.explain("asking the server", &clientError{Text: "not authorized"})
	}
	return answer.Environment.Clustered, nil
}

// project makes the project that the lab names, if there is none. It shares the images of the default project.
func (p *Provider) project(ctx context.Context) error {
	if p.spec.Lab.Incus.Project == "" {
		return nil
	}
	name := p.place.Project
	err := p.client.queryIn(ctx, "", "GET", "/1.0/projects/"+url.PathEscape(name), nil, nil)
	if !says(err, "not found") {
		return p.explain("looking for project "+name, err)
	}
	body := map[string]any{
		"name":        name,
		"description": "podium lab " + p.place.Lab,
		"config": map[string]string{
			keyLab: p.place.Lab, keyOwner: p.place.Owner,
			"features.images": "false", "features.profiles": "false",
		},
	}
	return p.explain("making project "+name, p.client.queryIn(ctx, "", "POST", "/1.0/projects", body, nil))
}

// image says where the machines' image comes from. An alias on the server is looked for now; one of an image server is
// downloaded by Incus when the first machine is made, and kept.
func (p *Provider) image(ctx context.Context, remotes map[string]server) (imageSource, error) {
	name := p.spec.Lab.Incus.Image
	source := imageSource{Type: "image", Alias: name}
	server, alias, named := strings.Cut(name, ":")
	if named && server != p.place.Remote {
		from, ok := remotes[server]
		switch {
		case !ok:
			return source, &Error{Doing: "image " + name, Kind: ErrNoRemote, Text: fmt.Sprintf("%q", server),
				Hint: "incus remote list shows those there are; images: is https://images.linuxcontainers.org"}
		case from.Protocol != "simplestreams":
			return source, &Error{Doing: "image " + name, Kind: ErrNoImage, Text: fmt.Sprintf("%q is another incus", server),
				Hint: fmt.Sprintf("copy it first: incus image copy %s %s: --alias %s; then write image: %s", name, p.place.Remote, alias, alias)}
		}
		return imageSource{Type: "image", Mode: "pull", Server: from.Addr, Protocol: from.Protocol, Alias: alias}, nil
	}
	if named {
		source.Alias = alias
	}
	err := p.client.query(ctx, "GET", "/1.0/images/aliases/"+url.PathEscape(source.Alias), nil, nil)
	return source, p.explain("image "+name, err)
}

// pool says which storage pool holds the disks: the lab's, or that of the default profile's root disk.
func (p *Provider) pool(ctx context.Context) (string, error) {
	if pool := p.spec.Lab.Incus.Pool; pool != "" {
		err := p.client.query(ctx, "GET", "/1.0/storage-pools/"+url.PathEscape(pool), nil, nil)
		if says(err, "not found") {
			return "", &Error{Doing: "incus.pool", Text: fmt.Sprintf("no storage pool %q", pool), Hint: "incus storage list shows those there are"}
		}
		return pool, p.explain("storage pool "+pool, err)
	}
	var profile struct {
		Devices map[string]map[string]string `json:"devices"`
	}
	if err := p.client.query(ctx, "GET", "/1.0/profiles/default", nil, &profile); err != nil {
		return "", p.explain("default profile", err)
	}
	for _, device := range profile.Devices {
		if device["type"] == "disk" && device["path"] == "/" && device["pool"] != "" {
			return device["pool"], nil
		}
	}
	return "", &Error{Doing: "storage pool", Text: "the default profile has no root disk",
		Hint: "set Incus up with: incus admin init; or write incus.pool in lab.yaml (incus storage list)"}
}

// member is the member of a cluster that has the lab's machines; empty where there is no cluster or no machine yet. A bridge does not reach from one member to another: so
// Incus chooses a member for the lab's first machine, and the others go there too.
func (p *Provider) member() string {
	if !p.clustered {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, i := range p.nodes {
		if i.Location != "" && i.Location != "none" {
			return i.Location
		}
	}
	return ""
}

// machineNamed finds the description of a node.
func (p *Provider) machineNamed(name string) (lab.Machine, bool) {
	for _, m := range p.spec.Machines {
		if m.Name == name {
			return m, true
		}
	}
	return lab.Machine{}, false
}
