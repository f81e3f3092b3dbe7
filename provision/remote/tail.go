package remote

import "sync"

// tailSize is how much of an output Result keeps, in bytes.
const tailSize = 64 << 10

// tail keeps the last tailSize bytes written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	if n > tailSize {
		p = p[n-tailSize:]
	}
	if len(t.buf)+len(p) > 2*tailSize { // move only now and then
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-(tailSize-len(p)):]...)
	}
	t.buf = append(t.buf, p...)
	return n, nil
}

// Bytes gives a copy of what is kept.
func (t *tail) Bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := t.buf
	if len(kept) > tailSize {
		kept = kept[len(kept)-tailSize:]
	}
	return append([]byte(nil), kept...)
}
