package engine

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"podium/provision/folder"
	"podium/provision/machine"
	"podium/provision/state"
)

// Errors of snapshots that callers tell apart by errors.Is, beside machine.ErrNoSnapshot and machine.ErrNotApplicable.
var (
	ErrSnapshotExists     = errors.New("there is a snapshot of this name already")
	ErrSnapshotName       = errors.New("not a name for a snapshot")
	ErrSnapshotIncomplete = errors.New("the snapshot is not complete")
	ErrNodesChanged       = errors.New("the lab's machines are not those of the snapshot")
)

// cleanupDeadline is how long tidying up may take after the run was stopped.
const cleanupDeadline = 2 * time.Minute

// SnapshotSave keeps the whole lab under tag, as one set: it halts every machine, takes a snapshot of each, and starts
// again those that ran. If one fails, the others of the set are deleted and the lab runs as before.
func (e *Engine) SnapshotSave(ctx context.Context, tag string) error {
	return e.change(func(j *job) error { return j.save(ctx, tag, false) })
}

// SnapshotRestore brings the whole lab back to tag and starts again those machines that ran. It refuses a snapshot
// that is not complete, and one of other machines than the lab has now. If one fails, the lab stays halted: some
// machines are back and others are not. The same again, or Up, finishes it.
func (e *Engine) SnapshotRestore(ctx context.Context, tag string) error {
	return e.change(func(j *job) error { return j.restore(ctx, tag, startRunning) })
}

// SnapshotDelete removes what is kept under tag, complete or not.
func (e *Engine) SnapshotDelete(ctx context.Context, tag string) error {
	return e.change(func(j *job) error {
		snapshot, err := j.snapshot(tag)
		if err != nil {
			return err
		}
		return j.delete(ctx, snapshot)
	})
}

// Reset restores tag and starts every machine; an empty tag is the lab's first good state, which Up has kept.
func (e *Engine) Reset(ctx context.Context, tag string) error {
	return e.change(func(j *job) error {
		if tag == "" {
			first, ok := j.first()
			if !ok {
				return fmt.Errorf("reset: %w: the lab has no first good state: up keeps it when it has done everything for the first time; or name a snapshot of your own", machine.ErrNoSnapshot)
			}
			tag = first.Tag
		}
		return j.restore(ctx, tag, startAll)
	})
}

// tagForm is what every provider takes for a name.
var tagForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// snapshots is what the state knows, oldest first.
func (j *job) snapshots() []state.Snapshot {
	var all []state.Snapshot
	j.record.View(func(s state.State) { all = slices.Clone(s.Snapshots) })
	return all
}

func (j *job) snapshot(tag string) (state.Snapshot, error) {
	var tags []string
	for _, s := range j.snapshots() {
		if s.Tag == tag {
			return s, nil
		}
		tags = append(tags, s.Tag)
	}
	if len(tags) == 0 {
		return state.Snapshot{}, fmt.Errorf("%w: %q: the lab has none yet", machine.ErrNoSnapshot, tag)
	}
	return state.Snapshot{}, fmt.Errorf("%w: %q: the lab has %s", machine.ErrNoSnapshot, tag, strings.Join(tags, ", "))
}

// first is the snapshot that Up took by itself.
func (j *job) first() (state.Snapshot, bool) {
	for _, s := range j.snapshots() {
		if s.Auto && !s.Incomplete {
			return s, true
		}
	}
	return state.Snapshot{}, false
}

// put writes a snapshot into the state, in place of one with the same tag; drop takes it out.
func (j *job) put(snapshot state.Snapshot) error {
	j.record.Update(func(s *state.State) {
		s.Snapshots = slices.DeleteFunc(s.Snapshots, func(old state.Snapshot) bool { return old.Tag == snapshot.Tag })
		s.Snapshots = append(s.Snapshots, snapshot)
	})
	return j.record.Save()
}

// unlessFull lets what frees space go on although the disk is too full to write it down first. What is done is written
// down at the end, when there may be space.
func unlessFull(err error) error {
	if folder.IsFull(err) {
		return nil
	}
	return err
}

func (j *job) drop(tag string) error {
	j.record.Update(func(s *state.State) {
		s.Snapshots = slices.DeleteFunc(s.Snapshots, func(old state.Snapshot) bool { return old.Tag == tag })
	})
	return j.record.Save()
}

// save takes the whole lab's snapshot and starts again what ran.
func (j *job) save(ctx context.Context, tag string, auto bool) error {
	ran, err := j.keepHalted(ctx, tag, auto)
	if err != nil {
		return err
	}
	if err := j.start(ctx, ran); err != nil {
		return fmt.Errorf("snapshot %s is kept, but the lab does not work again since it was halted for it: %w", tag, err)
	}
	return nil
}

// keepHalted halts the lab and takes its snapshot. It returns the machines that ran; they are halted, unless it fails.
func (j *job) keepHalted(ctx context.Context, tag string, auto bool) (ran []string, err error) {
	if !tagForm.MatchString(tag) {
		return nil, fmt.Errorf("snapshot %q: %w: a name has 1 to 40 small letters, digits and dashes, and no dash at its ends", tag, ErrSnapshotName)
	}
	if old, err := j.snapshot(tag); err == nil && !old.Incomplete {
		return nil, fmt.Errorf("%w: %q of %s: delete it first, or take another name", ErrSnapshotExists, tag, old.Taken.Local().Format(time.DateTime))
	}
	all, err := j.machines(ctx)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, ErrNoMachines
	}
	if missing := in(all, machine.Missing); len(missing) > 0 {
		return nil, fmt.Errorf("%w: a snapshot is of the whole lab: run up first", &NodeError{Node: strings.Join(missing, ", "), Doing: "snapshot", Err: machine.ErrNotFound})
	}
	names, _ := choose(all, nil)
	ran = in(all, machine.Running)
	if err := j.stop(ctx, names); err != nil {
		return nil, errors.Join(err, j.startAgain(ctx, ran))
	}
	set := state.Snapshot{Tag: tag, Taken: time.Now().Truncate(time.Second), Nodes: names, Auto: auto, Incomplete: true}
	if err := j.take(ctx, set); err != nil {
		return nil, errors.Join(err, j.startAgain(ctx, ran))
	}
	j.note("", "snapshot %s taken of %s", tag, strings.Join(names, ", "))
	return ran, nil
}

// take keeps each machine of the set; all of them or none.
func (j *job) take(ctx context.Context, set state.Snapshot) error {
	if err := j.put(set); err != nil { // a crash from here on leaves a set that is known to be incomplete
		return err
	}
	err := j.each(ctx, "snapshot", set.Nodes, func(ctx context.Context, name string) error {
		// What an earlier try left under this name is no part of this set.
		if err := j.Provider.DeleteSnapshot(ctx, name, set.Tag); err != nil {
			return err
		}
		return j.Provider.Snapshot(ctx, name, set.Tag)
	})
	if err == nil {
		set.Incomplete = false
		return j.put(set)
	}
	tidy, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupDeadline)
	defer cancel()
	if deleteErr := j.delete(tidy, set); deleteErr != nil && !errors.Is(deleteErr, machine.ErrNotApplicable) {
		err = errors.Join(err, fmt.Errorf("what was taken is not removed: %w", deleteErr))
	}
	return err
}

// startAgain brings machines back that ran before something failed. It does not when the run was stopped: the user who
// presses Ctrl-C does not want to wait for boots.
func (j *job) startAgain(ctx context.Context, names []string) error {
	if ctx.Err() != nil || len(names) == 0 {
		return nil
	}
	all, err := j.machines(ctx)
	if err != nil {
		return err
	}
	down := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return all[name] == machine.Running })
	if len(down) == 0 {
		return nil
	}
	return j.start(ctx, down)
}

func (j *job) delete(ctx context.Context, set state.Snapshot) error {
	set.Incomplete = true // as soon as the first machine's is gone
	if err := unlessFull(j.put(set)); err != nil {
		return err
	}
	all, err := j.machines(ctx)
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(set.Nodes), func(name string) bool {
		_, there := all[name]
		return !there
	})
	err = j.each(ctx, "delete snapshot", left, func(ctx context.Context, name string) error {
		return j.Provider.DeleteSnapshot(ctx, name, set.Tag)
	})
	if errors.Is(err, machine.ErrNotApplicable) {
		return errors.Join(err, j.drop(set.Tag))
	}
	if err != nil {
		return err
	}
	return j.drop(set.Tag)
}

// starting says which machines run after a restore.
type starting int

const (
	startNone    starting = iota
	startRunning          // those that ran before it
	startAll
)

// restore brings the lab back to tag.
func (j *job) restore(ctx context.Context, tag string, which starting) error {
	set, err := j.snapshot(tag)
	if err != nil {
		return err
	}
	if set.Incomplete {
		return fmt.Errorf("%w: %q was cut off while it was taken or deleted, or a machine of it was recreated: delete it", ErrSnapshotIncomplete, tag)
	}
	all, err := j.machines(ctx)
	if err != nil {
		return err
	}
	names, _ := choose(all, nil)
	if !slices.Equal(names, set.Nodes) {
		return fmt.Errorf("%w: %q is of %s, the lab has %s: machines of different moments would not fit together", ErrNodesChanged, tag, strings.Join(set.Nodes, ", "), strings.Join(names, ", "))
	}
	if missing := in(all, machine.Missing); len(missing) > 0 {
		return fmt.Errorf("%w: %q: %s is gone, with its snapshots: destroy the lab and make it again", ErrNodesChanged, tag, strings.Join(missing, ", "))
	}
	ran := append(in(all, machine.Running), in(all, machine.Crashed)...)
	up := map[starting][]string{startRunning: ran, startAll: names}[which]
	if err := j.switchOff(ctx, names); err != nil {
		return errors.Join(err, j.startAgain(ctx, up))
	}
	j.record.Update(func(s *state.State) { s.Restoring = tag })
	if err := unlessFull(j.record.Save()); err != nil {
		return err
	}
	if err := j.each(ctx, "restore", names, func(ctx context.Context, name string) error { return j.Provider.Restore(ctx, name, tag) }); err != nil {
		return fmt.Errorf("%w\nthe lab is halted, some machines may be back at %s and others not: the same again, or up, finishes it", err, tag)
	}
	j.record.Update(func(s *state.State) { s.Restoring = "" })
	j.note("", "%s restored on %s", tag, strings.Join(names, ", "))
	return errors.Join(j.record.Save(), j.start(ctx, up))
}

// finishRestore restores once more what a restore that was cut off began: machines of different moments do not fit
// together. Afterwards Up starts them.
func (j *job) finishRestore(ctx context.Context) error {
	tag := ""
	j.record.View(func(s state.State) { tag = s.Restoring })
	if tag == "" {
		return nil
	}
	j.note("", "restoring %s was cut off: finishing it", tag)
	return j.restore(ctx, tag, startNone)
}

// baseline keeps the lab's first good state, once it is complete: the snapshot that Reset goes back to. When the lab's
// machines have changed since it was taken, it could not be restored any more and is taken again.
func (r *upRun) baseline(ctx context.Context, s *Summary) error {
	if !r.options.Baseline {
		return nil
	}
	all, err := r.machines(ctx)
	if err != nil {
		return err
	}
	names, _ := choose(all, nil)
	for _, name := range r.Plan.Resting() {
		if slices.Contains(names, name) {
			return nil // its state was not checked by this run: an up of all machines keeps the lab
		}
	}
	if first, ok := r.first(); ok {
		if slices.Equal(first.Nodes, names) {
			return nil
		}
		r.note("", "the lab's machines have changed: taking the first good state again")
		if err := r.delete(ctx, first); err != nil {
			return err
		}
	}
	if old, err := r.snapshot(BaselineTag); err == nil && !old.Incomplete {
		return nil // somebody has given the name to a snapshot of their own
	}
	r.note("", "keeping the lab's first good state: halting it for a moment")
	ran, err := r.keepHalted(ctx, BaselineTag, true)
	switch {
	case errors.Is(err, machine.ErrNotApplicable):
		return nil
	case err != nil:
		return fmt.Errorf("the lab is ready, but its first good state could not be kept: %w", err)
	}
	s.Baseline = BaselineTag
	if err := r.start(ctx, ran); err != nil {
		r.note("", "the first good state is kept: podium reset%s goes back to it", r.LabArg)
		return r.failChecks(ctx, err)
	}
	return nil
}
