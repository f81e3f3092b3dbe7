package remote

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// maxLineLength is where Lines cuts, in bytes.
const maxLineLength = 8 << 10

// cutMark stands at the end of a line that was cut.
const cutMark = " [cut]"

// Lines gives a writer that calls each for every line, without its end. What a terminal would not show is left out:
// of a line overwritten by carriage returns (progress bars) only the last state counts. Lines longer than 8 KiB are
// cut with a mark, bytes that are not UTF-8 become U+FFFD, and Close passes on a last line without line end. Memory
// stays bounded whatever is written. Writes may come from many goroutines; each is called by one at a time.
func Lines(each func(line string)) io.WriteCloser { return &lines{each: each} }

type lines struct {
	mu   sync.Mutex
	each func(string)
	buf  []byte // the line so far, at most maxLineLength bytes
	cut  bool   // more than that came
	cr   bool   // a carriage return came last: what follows overwrites the line, unless it is a newline
}

// Write never fails.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexAny(p, "\r\n")
		if i < 0 {
			l.add(p)
			break
		}
		l.add(p[:i])
		if p[i] == '\n' {
			l.flush()
		} else {
			l.cr = true
		}
		p = p[i+1:]
	}
	return n, nil
}

// Close passes on what came after the last line end.
func (l *lines) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.buf) > 0 || l.cut {
		l.flush()
	}
	return nil
}

func (l *lines) add(p []byte) {
	if len(p) == 0 {
		return
	}
	if l.cr {
		l.buf, l.cut, l.cr = l.buf[:0], false, false
	}
	if room := maxLineLength - len(l.buf); len(p) > room {
		p, l.cut = p[:room], true
	}
	l.buf = append(l.buf, p...)
}

func (l *lines) flush() {
	text := l.buf
	if l.cut {
		text = trimPartial(text)
	}
	line := strings.ToValidUTF8(string(text), "\uFFFD")
	if l.cut {
		line += cutMark
	}
	l.buf, l.cut, l.cr = l.buf[:0], false, false
	l.each(line)
}

// trimPartial takes off a character that the cut went through.
func trimPartial(p []byte) []byte {
	for i := 1; i <= 3 && i <= len(p); i++ {
		c := p[len(p)-i]
		if c < 0x80 {
			break
		}
		if c >= 0xC0 { // first byte of a character of this many bytes
			if need := 2 + b2i(c >= 0xE0) + b2i(c >= 0xF0); i < need {
				return p[:len(p)-i]
			}
			break
		}
	}
	return p
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
