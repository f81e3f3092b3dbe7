package examine

import (
	"strings"
	"sync"
)

// lines keeps the last lines that several nodes say.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all = append(l.all, line); len(l.all) > 5 {
		l.all = l.all[1:]
	}
}

func (l *lines) end() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all, "; ")
}
