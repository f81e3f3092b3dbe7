package systemd

import (
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

type entry struct {
	when time.Time
	who  string
	text string
}

// Log adds a line to the journal.
func (m *Manager) Log(name, who, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log(name, who, text)
}

const journalLines = 200 // kept for each unit

func (m *Manager) log(name, who, text string) {
	list := append(m.journal[name], entry{m.k.Clock(), who, text})
	if len(list) > journalLines {
		list = slices.Clone(list[len(list)-journalLines:])
	}
	m.journal[name] = list
}

// journalWriter puts lines into the journal.
type journalWriter struct {
	m         *Manager
	unit, who string
	mu        sync.Mutex
	rest      string
}

func (w *journalWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest += string(b)
	for {
		line, rest, ok := strings.Cut(w.rest, "\n")
		if !ok {
			return len(b), nil
		}
		w.rest = rest
		w.m.Log(w.unit, w.who, line)
	}
}

var _ io.Writer = (*journalWriter)(nil)
