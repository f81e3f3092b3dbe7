package state

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
)

const journalName = "journal.ndjson"

// Journal is the append-only record of what happened to a lab: one JSON value a line.
type Journal struct{ log *Log }

// OpenJournal opens the journal for appending. The caller closes it.
func (d *Dir) OpenJournal() (*Journal, error) {
	if err := d.Make(); err != nil {
		return nil, err
	}
	l, err := newLog(d.files, journalName, maxJournal)
	if err != nil {
		return nil, err
	}
	return &Journal{log: l}, nil
}

// Append writes v as one line, in one write.
func (j *Journal) Append(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	_, err = j.log.Write(append(line, '\n'))
	return err
}

// Close closes the journal.
func (j *Journal) Close() error { return j.log.Close() }

// ReadJournal gives the journal's lines, oldest first. A line that is not JSON, such as one torn by a crash, is left
// out. An error ends the sequence; a journal that was never written is empty.
func (d *Dir) ReadJournal() iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		for _, name := range []string{older(journalName), journalName} {
			if more := d.readLines(name, yield); !more {
				return
			}
		}
	}
}

func (d *Dir) readLines(name string, yield func(json.RawMessage, error) bool) (more bool) {
	f, err := d.files.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		yield(nil, fmt.Errorf("read journal: %w", err))
		return false
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 64<<10), maxJournal+1)
	for s.Scan() {
		line := bytes.TrimSpace(s.Bytes())
		if !json.Valid(line) {
			continue
		}
		if !yield(bytes.Clone(line), nil) {
			return false
		}
	}
	if err := s.Err(); err != nil {
		yield(nil, fmt.Errorf("read journal %s: %w", f.Name(), err))
		return false
	}
	return true
}
