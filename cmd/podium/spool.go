package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/muesli/cancelreader"
)

// spool gives the same input to many readers, each at its own pace, as it comes. What came lies in a file: a reader
// that is slow, or that never begins, holds up nobody and fills no memory.
type spool struct {
	in     cancelreader.CancelReader
	filled sync.WaitGroup

	mu   sync.Mutex
	more *sync.Cond // the input has grown or ended
	file *os.File   // nil until the first byte
	size int64
	end  error // io.EOF, or why no more comes; nil: more may come
}

// newSpool begins to take the input in. The caller closes it.
func newSpool(in io.Reader) (*spool, error) {
	cancelable, err := cancelreader.NewReader(piped(in))
	if err != nil {
		return nil, fmt.Errorf("read stdin: %w", err)
	}
	s := &spool{in: cancelable}
	s.more = sync.NewCond(&s.mu)
	s.filled.Go(s.fill)
	return s, nil
}

func (s *spool) fill() {
	buffer := make([]byte, 64<<10)
	for {
		n, err := s.in.Read(buffer)
		if n > 0 {
			err = errors.Join(s.append(buffer[:n]), err)
		}
		if err == nil {
			continue
		}
		if errors.Is(err, io.EOF) {
			err = io.EOF
		}
		s.finish(err)
		return
	}
}

func (s *spool) append(text []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil {
		return s.end
	}
	if s.file == nil {
		file, err := os.CreateTemp("", "podium-stdin-*")
		if err != nil {
			return fmt.Errorf("keep stdin for the nodes: %w", err)
		}
		s.file = file
		_ = os.Remove(file.Name()) // so that nothing is left behind if podium is killed; Windows allows it only when the file is closed
	}
	if _, err := s.file.WriteAt(text, s.size); err != nil {
		return fmt.Errorf("keep stdin for the nodes: %w", err)
	}
	s.size += int64(len(text))
	s.more.Broadcast()
	return nil
}

// finish says that no more comes.
func (s *spool) finish(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end == nil {
		s.end = err
	}
	s.more.Broadcast()
}

// close ends all readers and removes the file.
func (s *spool) close() error {
	s.finish(os.ErrClosed)
	if s.in.Cancel() {
		s.filled.Wait()
	}
	err := s.in.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return err
	}
	name := s.file.Name()
	err = errors.Join(err, s.file.Close())
	if removeErr := os.Remove(name); !errors.Is(removeErr, fs.ErrNotExist) {
		err = errors.Join(err, removeErr)
	}
	return err
}

// reader gives the input from its beginning.
func (s *spool) reader() io.Reader { return &spoolReader{spool: s} }

type spoolReader struct {
	spool *spool
	at    int64
}

// Read waits for more input when all of it has been read.
func (r *spoolReader) Read(p []byte) (int, error) {
	s := r.spool
	s.mu.Lock()
	for r.at >= s.size && s.end == nil {
		s.more.Wait()
	}
	room := min(int64(len(p)), s.size-r.at)
	end := s.end
	s.mu.Unlock()
	if room == 0 {
		return 0, end
	}
	n, err := s.file.ReadAt(p[:room], r.at)
	r.at += int64(n)
	return n, err
}

// pipedInput is stdin when it comes by a pipe or from a file; nil when it is a terminal or nothing. A terminal is left
// alone: somebody who types there means the shell.
func (a *app) pipedInput() io.Reader {
	file, isFile := a.Stdin.(*os.File)
	if !isFile {
		return a.Stdin
	}
	info, err := file.Stat()
	if err != nil || info.Mode()&fs.ModeCharDevice != 0 || info.IsDir() {
		return nil
	}
	return file
}
