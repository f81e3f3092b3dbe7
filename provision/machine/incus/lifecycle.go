package incus

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/remote"
)

// haltTime is how long a machine may take to stop by itself before it is switched off.
const haltTime = 60 * time.Second

// list asks once for all instances of the project and keeps the lab's by node name. Later calls answer from memory.
func (p *Provider) list(ctx context.Context) (map[string]instance, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listed {
		return p.nodes, nil
	}
	if p.place.Remote == "" { // Prepare was not called, and nothing is remembered
		if _, err := p.settle(ctx); err != nil {
			return nil, err
		}
	}
	var all []instance
	if err := p.client.query(ctx, "GET", "/1.0/instances?recursion=1", nil, &all); err != nil {
		return nil, p.explain("listing instances", err)
	}
	p.nodes, p.others = map[string]instance{}, map[string]instance{}
	for _, i := range all {
		if i.Config[keyLab] == p.place.Lab && i.Config[keyOwner] == p.place.Owner && i.Config[keyNode] != "" {
			p.nodes[i.Config[keyNode]] = i
		} else {
			p.others[i.Name] = i
		}
	}
	p.listed = true
	return p.nodes, nil
}

// find returns a node's instance; ok is false if there is none.
func (p *Provider) find(ctx context.Context, name string) (i instance, ok bool, err error) {
	if _, err := p.list(ctx); err != nil {
		return i, false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	i, ok = p.nodes[name]
	return i, ok, nil
}

// findAgain is find for Up, which is called a second time when a machine does not answer any more: then what is
// remembered of it may be wrong.
func (p *Provider) findAgain(ctx context.Context, name string) (i instance, ok bool, err error) {
	i, ok, err = p.find(ctx, name)
	p.mu.Lock()
	given := p.given[name]
	p.mu.Unlock()
	if err != nil || !ok || !given {
		return i, ok, err
	}
	return p.look(ctx, name)
}

// look asks for a node's instance as it is now.
func (p *Provider) look(ctx context.Context, name string) (i instance, ok bool, err error) {
	err = p.client.query(ctx, "GET", path(instance{Name: instanceName(p.place.Lab, name)}, ""), nil, &i)
	if says(err, "not found") {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.nodes, name)
		return instance{}, false, nil
	}
	if err != nil {
		return i, true, p.explain("looking at "+name, err)
	}
	p.keep(name, func(kept *instance) { *kept = i })
	return i, true, nil
}

// keep notes what became of a node's instance.
func (p *Provider) keep(name string, change func(*instance)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := p.nodes[name]
	change(&i)
	p.nodes[name] = i
}

// path is where the API has an instance.
func path(i instance, more string) string { return "/1.0/instances/" + url.PathEscape(i.Name) + more }

// Up creates the machine, starts it if it is stopped, and puts the lab's user on it. A machine that was finished once is
// started without Prepare too. The endpoint carries the machine's
// host keys, read from inside, so that the first SSH connection is strict already.
func (p *Provider) Up(ctx context.Context, name string) (remote.Endpoint, error) {
	i, ok, err := p.findAgain(ctx, name)
	if err == nil {
		i, ok, err = p.settled(ctx, name, i, ok)
	}
	if err != nil {
		return remote.Endpoint{}, err
	}
	m, described := p.machineNamed(name)
	if !described && (!ok || i.Config[keyHostKeys] == "") {
		return remote.Endpoint{}, fmt.Errorf("%s: %w in lab %s", name, machine.ErrNotFound, p.place.Lab)
	}
	if ok && i.Config[keyHostKeys] == "" && i.state() != machine.Running {
		// Cut off while it was made: nobody has used it, and what is in it may be half of the image.
		p.log.Warn("it was never finished: making it again", "node", name)
		if err := p.Destroy(ctx, name); err != nil {
			return remote.Endpoint{}, err
		}
		ok = false
	}
	switch {
	case !ok:
		i, err = p.create(ctx, m)
	case i.state() != machine.Running:
		if described {
			err = p.resize(ctx, m, i)
		}
		if err == nil {
			err = p.start(ctx, name, i)
		}
	case described:
		err = p.resize(ctx, m, i)
	}
	if err == nil && i.Config[keyHostKeys] == "" {
		i, err = p.admit(ctx, m, i)
	}
	if err != nil {
		return remote.Endpoint{}, err
	}
	p.mu.Lock()
	p.given[name] = true
	p.mu.Unlock()
	return p.endpoint(name, i), nil
}

// endpoint says how a machine is reached, from what stands at the instance: that is known without a description too.
func (p *Provider) endpoint(name string, i instance) remote.Endpoint {
	e := remote.Endpoint{
		Node: name, Host: i.Devices["eth0"]["ipv4.address"], Port: 22, User: i.Config[keyUser], HostKeys: lines(i.Config[keyHostKeys]),
	}
	if i.Devices["ssh"] != nil { // on a server elsewhere, which forwards a port
		e.Host, e.Port = p.place.Host, proxyPort(i.Name)
	}
	return e
}

// create makes and starts a machine in one call.
func (p *Provider) create(ctx context.Context, m lab.Machine) (instance, error) {
	if p.clustered {
		// One after the other until Incus has chosen a member for the first; the others follow it.
		p.placing.Lock()
		defer p.placing.Unlock()
	}
	body := describe(p.spec.Lab, m, p.shared, p.place, p.spec.PublicKey)
	target := "/1.0/instances"
	if member := p.member(); member != "" {
		target += "?target=" + url.QueryEscape(member)
	}
	if err := p.client.query(ctx, "POST", target, body, nil); err != nil {
		return instance{}, p.explain("creating "+m.Name, err)
	}
	made := instance{Name: body.Name, Type: body.Type, Status: "Running", Config: body.Config, Devices: body.Devices}
	if p.clustered {
		if err := p.client.query(ctx, "GET", path(made, ""), nil, &made); err != nil {
			return made, p.explain("looking where "+m.Name+" is", err)
		}
	}
	p.keep(m.Name, func(i *instance) { *i = made })
	return made, nil
}

// namesFree reports an error when an instance that is not the lab's has the name of one that is to be made.
func (p *Provider) namesFree() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.spec.Machines {
		if other, taken := p.others[instanceName(p.place.Lab, m.Name)]; taken {
			return p.notOurs(m.Name, other)
		}
	}
	return nil
}

func (p *Provider) notOurs(node string, other instance) error {
	whose := "podium did not make it"
	if o := other.Config[keyOwner]; o != "" {
		whose = fmt.Sprintf("it belongs to lab %s of %s", other.Config[keyLab], o)
	}
	return &Error{Doing: "creating " + node, Kind: ErrNameTaken,
		Text: fmt.Sprintf("instance %s of project %s is there: %s", other.Name, p.place.Project, whose),
		Hint: "choose another name: in lab.yaml or a project of its own (incus.project); podium leaves that instance alone"}
}

// start starts a stopped machine, or wakes a frozen one.
func (p *Provider) start(ctx context.Context, name string, i instance) error {
	action := "start"
	if i.Status == "Frozen" {
		action = "unfreeze"
	}
	err := p.client.query(ctx, "PUT", path(i, "/state"), map[string]any{"action": action, "timeout": -1}, nil)
	if err != nil && !says(err, "already running") {
		return p.explain("starting "+name, err)
	}
	p.keep(name, func(i *instance) { i.Status = "Running" })
	return nil
}

// Takes says when an instance takes a changed setting: a container its sizes while it runs, a virtual machine when it starts.
func (p *Provider) Takes(l lab.Lab, s machine.Setting) machine.Effect {
	switch {
	case s != machine.CPUs && s != machine.Memory:
		return machine.WhenMade
	case l.Incus != nil && l.Incus.Instance == "vm":
		return machine.WhenStarted
	}
	return machine.AtOnce
}

// resize applies a changed number of processors or size of memory, as Takes says.
func (p *Provider) resize(ctx context.Context, m lab.Machine, i instance) error {
	want := limits(m)
	if i.Config["limits.cpu.allowance"] != "" {
		want = limitsByTime(m)
	}
	same := true
	for key, value := range want {
		same = same && i.Config[key] == value
	}
	if same {
		return nil
	}
	if i.Type != "container" && i.state() == machine.Running {
		return nil
	}
	return p.explain("resizing "+m.Name, p.client.query(ctx, "PATCH", path(i, ""), map[string]any{"config": want}, nil))
}

// Halt stops the machine, by force if it does not stop within a minute.
func (p *Provider) Halt(ctx context.Context, name string) error {
	i, ok, err := p.find(ctx, name)
	if err != nil || !ok || i.state() == machine.Stopped {
		return err
	}
	return p.stop(ctx, name, i, false)
}

// PowerOff stops the machine at once.
func (p *Provider) PowerOff(ctx context.Context, name string) error {
	i, ok, err := p.find(ctx, name)
	if err != nil || !ok || i.state() == machine.Stopped {
		return err
	}
	return p.stop(ctx, name, i, true)
}

func (p *Provider) stop(ctx context.Context, name string, i instance, force bool) error {
	body := map[string]any{"action": "stop", "timeout": int(haltTime.Seconds()), "force": force || i.Status == "Frozen"}
	err := p.unlessBusy(ctx, name, i, func() error { return p.client.query(ctx, "PUT", path(i, "/state"), body, nil) })
	if err != nil && ctx.Err() == nil && !force && !says(err, "already stopped") && !says(err, "not found") {
		p.log.Warn("it did not stop by itself: switching it off", "node", name, "error", err)
		return p.stop(ctx, name, i, true)
	}
	if err != nil && !says(err, "already stopped") && !says(err, "not found") {
		return p.explain("stopping "+name, err)
	}
	p.keep(name, func(i *instance) { i.Status = "Stopped" })
	return nil
}

// Destroy removes the machine with its snapshots.
func (p *Provider) Destroy(ctx context.Context, name string) error {
	i, ok, err := p.find(ctx, name)
	if err != nil || !ok {
		return err
	}
	if i.state() != machine.Stopped {
		if err := p.stop(ctx, name, i, true); err != nil {
			return err
		}
	}
	err = p.unlessBusy(ctx, name, i, func() error { return p.client.query(ctx, "DELETE", path(i, ""), nil, nil) })
	if err != nil && !says(err, "not found") {
		return p.explain("removing "+name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.nodes, name)
	return nil
}

// Cleanup removes the lab's network and project, if no machine is left in them.
func (p *Provider) Cleanup(ctx context.Context) error {
	all, err := p.networks(ctx)
	if err != nil {
		return err
	}
	for _, n := range all {
		if !n.ours(p.place) {
			continue
		}
		err := p.client.queryIn(ctx, "default", "DELETE", "/1.0/networks/"+url.PathEscape(n.Name), nil, nil)
		if err != nil && !says(err, "not found") {
			return p.explain("removing network "+n.Name, err)
		}
	}
	if err := p.removeProject(ctx); err != nil {
		return err
	}
	return p.files().Remove(rememberedFile)
}

// removeProject removes the project if podium made it for this lab.
func (p *Provider) removeProject(ctx context.Context) error {
	if p.place.Project == "" || p.place.Project == "default" {
		return nil
	}
	at := "/1.0/projects/" + url.PathEscape(p.place.Project)
	var project struct {
		Config map[string]string `json:"config"`
	}
	err := p.client.queryIn(ctx, "", "GET", at, nil, &project)
	if says(err, "not found") || err == nil && (project.Config[keyLab] != p.place.Lab || project.Config[keyOwner] != p.place.Owner) {
		return nil
	}
	if err == nil {
		err = p.client.queryIn(ctx, "", "DELETE", at, nil, nil)
	}
	return p.explain("removing project "+p.place.Project, err)
}

// Status tells the state of the lab's machines, in one call.
func (p *Provider) Status(ctx context.Context) (map[string]machine.State, error) {
	p.mu.Lock()
	p.listed = false
	p.mu.Unlock()
	nodes, err := p.list(ctx)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	states := make(map[string]machine.State, len(nodes))
	for name, i := range nodes {
		states[name] = i.state()
	}
	return states, nil
}
