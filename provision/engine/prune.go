package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/plan"
	"podium/provision/remote"
	"podium/provision/state"
	"podium/provision/step"
	"podium/scripts"
)

// ErrControlPlanes refuses a description that has none of the control planes that the cluster has.
var ErrControlPlanes = errors.New("none of the cluster's control planes is in the description any more")

// ErrEtcd refuses a description that lacks a machine which keeps the cluster's data.
var ErrEtcd = errors.New("a machine of the cluster's etcd is not in the description any more")

// leaveStep is the name under which nodes are taken out of the cluster; its logs are named after it.
const leaveStep = "leave"

// leaveDeadline is how long one script of a node's leaving may take; kubectl drain has a limit of its own within it.
const leaveDeadline = 10 * time.Minute

// Surplus is the lab's machines that its description has no more, sorted: what Up with UpOptions.Prune removes.
func (e *Engine) Surplus(ctx context.Context) ([]string, error) {
	s, err := e.Dir.Load()
	if err != nil {
		return nil, err
	}
	there, err := e.Provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("look which machines there are: %w", err)
	}
	all := map[string]bool{}
	for name, is := range there {
		all[name] = is != machine.Missing
	}
	for name, m := range s.Machines {
		all[name] = all[name] || m.Made
	}
	for _, m := range e.Plan.All() {
		delete(all, m.Name)
	}
	maps.DeleteFunc(all, func(_ string, made bool) bool { return !made })
	return slices.Sorted(maps.Keys(all)), nil
}

// keepsControlPlane refuses a description whose control planes are all new, while there is a cluster: it would get a
// second one beside it, which its workers do not belong to.
func (e *Engine) keepsControlPlane(s state.State) error {
	if e.Plan.Lab.Kubernetes == nil {
		return nil
	}
	var had []string
	for name, m := range s.Machines {
		if m.Made && slices.Contains(m.Roles, lab.RoleControlPlane) && step.MemberVersion(s.Facts[name]) != "" {
			had = append(had, name)
		}
	}
	stays := func(m lab.Machine) bool { return m.HasRole(lab.RoleControlPlane) && slices.Contains(had, m.Name) }
	if len(had) == 0 || slices.ContainsFunc(e.Plan.All(), stays) {
		return nil
	}
	slices.Sort(had)
	return fmt.Errorf("%w: it has %s, which hold all that the cluster knows: put one of them back into lab.yaml, or run podium destroy, then podium up",
		ErrControlPlanes, strings.Join(had, ", "))
}

// keepsEtcd refuses a description without one of the machines of external etcd: the first has the authority that signs
// the others' certificates, and each that goes away unannounced is a vote that is missing from then on.
func (e *Engine) keepsEtcd(s state.State) error {
	if e.Plan.Lab.Kubernetes == nil {
		return nil
	}
	var lost []string
	for name, m := range s.Machines {
		stays := slices.ContainsFunc(e.Plan.All(), func(p lab.Machine) bool { return p.Name == name && p.HasRole(lab.RoleEtcd) })
		if m.Made && slices.Contains(m.Roles, lab.RoleEtcd) && step.EtcdVersion(s.Facts[name]) != "" && !stays {
			lost = append(lost, name)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	slices.Sort(lost)
	return fmt.Errorf("%w: put %s back into lab.yaml, or run podium destroy, then podium up", ErrEtcd, strings.Join(lost, ", "))
}

// prune takes the nodes that the description has no more out of the cluster and destroys their machines: one
// after the other. Where it fails it stops; another Up with Prune goes on.
func (r *upRun) prune(ctx context.Context) error {
	names, err := r.Surplus(ctx)
	if err != nil || len(names) == 0 {
		return err
	}
	there, err := r.machines(ctx)
	if err != nil {
		return err
	}
	roles := map[string][]string{}
	r.record.View(func(s state.State) {
		for _, name := range names {
			roles[name] = s.Machines[name].Roles
		}
	})
	// Workers first. Of control planes those that are dead: etcd needs a majority of whatever it counts.
	order := func(name string) int {
		switch {
		case len(intersection(roles[name], lab.RoleControlPlane)) == 0:
			return 0
		case there[name] != machine.Running:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(order(a), order(b)) })
	for _, name := range names {
		if len(intersection(roles[name], lab.RoleControlPlane, lab.RoleWorker)) > 0 {
			if err := r.leave(ctx, name, there[name]); err != nil {
				return &NodeError{Node: name, Doing: "leave the cluster", Err: err}
			}
		}
		err := r.destroy(ctx, []string{name})
		if errors.Is(err, machine.ErrNotApplicable) {
			r.note(name, "its machine was not made by podium and stays; podium forgets it")
			r.record.Update(func(s *state.State) { forgetNode(s, name) })
			continue
		}
		if err != nil {
			return err
		}
	}
	return r.record.Save()
}

func intersection(has []string, wanted ...string) []string {
	return slices.DeleteFunc(slices.Clone(wanted), func(w string) bool { return !slices.Contains(has, w) })
}

// leave takes a node out of the cluster: by the first control plane that stays, and by the node itself if it answers.
func (r *upRun) leave(ctx context.Context, name string, is machine.State) error {
	i := slices.IndexFunc(r.Plan.All(), func(m lab.Machine) bool { return m.HasRole(lab.RoleControlPlane) })
	if r.Plan.Lab.Kubernetes == nil || i < 0 {
		return nil // no cluster is left to leave
	}
	control := r.node(r.Plan.All()[i].Name, r.scripts)
	defer control.close()
	scripts := step.Leaving()
	if err := r.leaveScript(ctx, control, scripts.Drain, name); err != nil {
		return err
	}
	if is == machine.Running {
		gone := r.node(name, r.scripts)
		defer gone.close()
		if err := r.dialBriefly(ctx, gone); err != nil {
			r.note(name, "does not answer and is left to the others: %v", err)
		} else if err := r.leaveScript(ctx, gone, scripts.Reset, name); err != nil {
			r.note(name, "is left to the others: %v", err)
		}
	} else {
		r.note(name, "does not run and is left to the others")
	}
	if err := r.leaveScript(ctx, control, scripts.Forget, name); err != nil {
		return err
	}
	r.note(name, "has left the cluster")
	return nil
}

// dialBriefly connects to a node where it was last reached, if it answers soon: a machine that is to be destroyed is not started.
func (r *upRun) dialBriefly(ctx context.Context, n *node) error {
	var at *remote.Endpoint
	r.record.View(func(s state.State) { at = s.Machines[n.name].Endpoint })
	if at == nil {
		return errNeverReached
	}
	limit, cancel := context.WithTimeout(ctx, quickDial)
	defer cancel()
	host, err := n.dialer.Dial(limit, *at)
	if err != nil {
		return err
	}
	n.endpoint, n.host = *at, host
	return nil
}

// leaveScript runs one script of a node's leaving.
func (r *upRun) leaveScript(ctx context.Context, on *node, script, leaves string) error {
	text, err := step.Text(scripts.Guest(), script)
	if err != nil {
		return err
	}
	bundle, err := r.scripts.inputBundle(plan.Input{
		Node: on.name, Script: plan.Script{Name: script, Text: text},
		Vars: map[string]string{"PODIUM_NODE": on.name, "PODIUM_LEAVES": leaves, "PODIUM_CRI_SOCKET": step.CRISocket(r.Plan.Lab.Runtime)},
	})
	if err != nil {
		return err
	}
	log, err := r.Dir.Log(leaves, leaveStep)
	if err != nil {
		return err
	}
	defer log.Close()
	out := newOutput(leaves, leaveStep, log, r.events)
	defer out.flush()
	_, err = on.run(ctx, session{step: leaveStep + "." + leaves, script: script, bundle: bundle, timeout: leaveDeadline, out: out})
	if err != nil {
		out.flush()
		if last := out.tail(); len(last) > 0 {
			return fmt.Errorf("%w: %s (log: %s)", err, strings.Join(last, "; "), log.Path())
		}
	}
	return err
}
