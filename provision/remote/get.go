package remote

import (
	"context"
	"fmt"
	"io"
)

// Get reads a file; see Host. It fails if fewer bytes come than the file had at the start. w gets them in order and
// is not used after Get has returned.
func (c *Client) Get(ctx context.Context, name string, w io.Writer) error {
	return c.fileError("get", name, c.read(ctx, name, w))
}

func (c *Client) read(ctx context.Context, name string, w io.Writer) error {
	failed := make(chan error, 1)
	out := &gate{w: w, broken: func(err error) { failed <- err }}
	defer out.shut()
	return c.files.use(ctx, func(s *transfer) error {
		file, err := s.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return err
		}
		if info.IsDir() {
			return fmt.Errorf("it is a folder")
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("it is a %s", kind(info.Mode()))
		}
		n, err := file.WriteTo(&stoppable{ctx: ctx, to: out, failed: failed})
		if err != nil {
			return err
		}
		if n < info.Size() {
			return fmt.Errorf("only %d of %d bytes came", n, info.Size())
		}
		return nil
	})
}

// stoppable ends a copy when ctx ends or the writer behind the gate has failed.
type stoppable struct {
	ctx    context.Context
	to     *gate
	failed chan error
}

func (s *stoppable) Write(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, _ := s.to.Write(p)
	select {
	case err := <-s.failed:
		return 0, fmt.Errorf("write: %w", err)
	default:
		return n, nil
	}
}
