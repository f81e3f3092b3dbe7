package engine

import (
	"context"
	"errors"
)

// Up carries out the plan: boots what does not run, reads each node's markers, and runs what is missing or changed.
func (e *Engine) Up(ctx context.Context, o UpOptions) (Summary, error) {
	return Summary{}, errors.ErrUnsupported
}

// Changes says for every task of the plan whether Up would run it, and why. It changes nothing.
func (e *Engine) Changes(ctx context.Context) ([]Change, error) { return nil, errors.ErrUnsupported }

// Status looks at every node of the lab at once.
func (e *Engine) Status(ctx context.Context) ([]NodeStatus, error) { return nil, errors.ErrUnsupported }

// Halt stops the machines; without names all of them.
func (e *Engine) Halt(ctx context.Context, nodes ...string) error { return errors.ErrUnsupported }

// Destroy removes the machines with all they hold; without names all of them, and then what they shared.
func (e *Engine) Destroy(ctx context.Context, nodes ...string) error { return errors.ErrUnsupported }

// SnapshotSave keeps the whole lab under tag.
func (e *Engine) SnapshotSave(ctx context.Context, tag string) error { return errors.ErrUnsupported }

// SnapshotRestore brings the whole lab back to tag.
func (e *Engine) SnapshotRestore(ctx context.Context, tag string) error { return errors.ErrUnsupported }

// SnapshotDelete removes what is kept under tag.
func (e *Engine) SnapshotDelete(ctx context.Context, tag string) error { return errors.ErrUnsupported }

// Reset restores tag and starts every machine; an empty tag is the lab's first good state.
func (e *Engine) Reset(ctx context.Context, tag string) error { return errors.ErrUnsupported }
