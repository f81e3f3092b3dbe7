package main

import (
	"io"
	"os"
	"sync"

	"podium/provision/report"
)

// stream is stdout or stderr. When the reader has left (podium status | head), what is written is thrown away and
// nothing fails: a lab that is being made must not suffer because nobody looks any more. On a terminal it is also the
// border for what nodes say: nothing but text and colours gets through, whichever verb prints it (see raw for podium's own).
type stream struct {
	mu   sync.Mutex
	w    io.Writer
	tty  bool  // a terminal
	err  error // first failure that is not a reader that left, such as a full disk
	left bool
}

func newStream(w io.Writer) *stream { return &stream{w: w, tty: isTerminal(w)} }

// Write never fails because the reader left.
func (s *stream) Write(p []byte) (int, error) {
	if !s.tty {
		return s.write(p)
	}
	if _, err := s.write([]byte(report.Printable(string(p), true))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// raw passes everything on: what moves the cursor to draw a line again, and what a user of ssh asked for.
func (s *stream) raw() io.Writer { return rawStream{s} }

type rawStream struct{ *stream }

func (r rawStream) Write(p []byte) (int, error) { return r.write(p) }

func (s *stream) write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left {
		return len(p), nil
	}
	n, err := s.w.Write(p)
	switch {
	case err == nil:
		return n, nil
	case isBrokenPipe(err):
		s.left = true
		return len(p), nil
	case s.err == nil:
		s.err = err
	}
	return n, err
}

// divert sends what is written from now on to w, until restore is called: a live view has to place it.
func (s *stream) divert(w io.Writer) (restore func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.w
	s.w = w
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.w = before
	}
}

// Gone reports whether the reader has left. Verbs that only show something can stop then.
func (s *stream) Gone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.w.(*os.File); ok && !s.left {
		s.left = readerLeft(f)
	}
	return s.left
}

// failure is the first write that failed for another reason than a reader that left.
func (s *stream) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		return nil
	}
	return fail(exitFailed, "cannot write the output: %w", s.err)
}
