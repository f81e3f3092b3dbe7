// Package ledger is the record of what was done in a lab's exercises: one JSON value a line, only ever appended to, and
// each line with the SHA-256 of the line before, so that a line changed by hand is noticed. It is not a seal: who can write
// the file can write all of it again.
//
// The form of a line is Entry; Version grows when it changes in a way that readers have to know.
package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"

	"podium/provision/folder"
)

// Version is that of the lines this package writes.
const Version = 1

// Names below .podium.
const (
	FileName = "exercises.ndjson"
	headName = "exercises.head" // hash of the last line
	lockName = "exercises.lock"
)

// Bounds of what is read, in bytes.
const (
	maxFile = 64 << 20
	maxLine = 256 << 10
)

// What an entry records.
const (
	Start    = "start"    // setup has run: the exercise begins. The attempt is the same if it was not reset
	Reset    = "reset"    // setup has run again: a new attempt begins
	Checked  = "check"    // checks were asked
	Answered = "answer"   // questions were answered
	Hinted   = "hint"     // a hint was taken
	Solved   = "solution" // the solution was shown or applied
	Broke    = "break"    // the lab was broken
	Fixed    = "fix"      // and repaired by podium
)

// Entry is one line.
type Entry struct {
	V        int               `json:"v"`
	Time     time.Time         `json:"time"`
	Kind     string            `json:"kind"`
	Exercise string            `json:"exercise"`
	Checks   []Mark            `json:"checks,omitempty"`  // check
	Answers  map[string]string `json:"answers,omitempty"` // answer
	Hint     int               `json:"hint,omitempty"`    // hint: its number, from 1
	Cost     int               `json:"cost,omitempty"`    // hint: points
	Snapshot string            `json:"snapshot,omitempty"`
	Prev     string            `json:"prev"` // SHA-256 of the line before, without its line end, in hex; of the first line empty
}

// Mark is the result of one check.
type Mark struct {
	Name   string `json:"name"`
	Result string `json:"result"`
	Points int    `json:"points"` // that it is worth
	Why    string `json:"why,omitempty"`
}

// Ledger is that of one lab.
type Ledger struct{ files folder.Folder }

// At is the ledger in a .podium.
func At(files folder.Folder) Ledger { return Ledger{files} }

// TamperedError is a line that was changed, taken out or put in by hand.
type TamperedError struct {
	Path string
	Line int
}

// Error names the line.
func (e *TamperedError) Error() string {
	return fmt.Sprintf("%s:%d: this line, or one before it, was changed by hand: what it says does not count as proof", e.Path, e.Line)
}

// Read gives all entries. A *TamperedError comes with the entries; lines that are not entries are left out.
func (l Ledger) Read() ([]Entry, error) {
	text, err := l.text()
	if err != nil {
		return nil, err
	}
	head, err := l.head()
	if err != nil {
		return nil, err
	}
	entries, at := parse(text, head)
	if at > 0 {
		return entries, &TamperedError{l.files.Path(FileName), at}
	}
	return entries, nil
}

func (l Ledger) text() ([]byte, error) {
	text, err := l.files.Read(FileName, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the ledger of exercises: %w", err)
	}
	return text, nil
}

func (l Ledger) head() (string, error) {
	text, err := l.files.Read(headName, 1024)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the ledger of exercises: %w", err)
	}
	return string(bytes.TrimSpace(text)), nil
}

// parse reads lines; tampered is the number of the first one that does not fit the one before, or that the head does not
// know; 0 when all fit. A torn last line, of a podium that was killed while it wrote, is not a line.
func parse(text []byte, head string) (entries []Entry, tampered int) {
	prev, n, fits := "", 0, true
	before := ""
	for len(text) > 0 {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		text = rest
		if !whole {
			break
		}
		n++
		var e Entry
		err := json.Unmarshal(line, &e)
		if len(line) > maxLine || err != nil || e.Prev != prev {
			if fits {
				tampered, fits = n, false
			}
		}
		if err == nil && e.V >= 1 && e.Exercise != "" {
			entries = append(entries, e)
		}
		before, prev = prev, hash(line)
	}
	// A podium that was killed between line and head leaves the head one line behind.
	if tampered == 0 && head != "" && head != prev && (head != before || n == 0) {
		tampered = max(n, 1)
	}
	return entries, tampered
}

func hash(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

// Append writes an entry at the end. Several podiums may do so at once. The directory must be there.
func (l Ledger) Append(e Entry) error {
	lock := flock.New(l.files.Path(lockName))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock the ledger of exercises: %w", err)
	}
	defer func() { _ = lock.Unlock() }()
	text, err := l.text()
	if err != nil {
		return err
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1] // without a torn line
	e.V, e.Prev = Version, ""
	if len(text) > 0 {
		last := text[:len(text)-1]
		e.Prev = hash(last[bytes.LastIndexByte(last, '\n')+1:])
	}
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write the ledger of exercises: %w", err)
	}
	if len(line) > maxLine {
		return fmt.Errorf("write the ledger of exercises: the entry has %d bytes, more than %d", len(line), maxLine)
	}
	if err := l.write(int64(len(text)), append(line, '\n')); err != nil {
		return fmt.Errorf("write the ledger of exercises: %w", err)
	}
	return l.files.Write(headName, []byte(hash(line)+"\n"), 0o600)
}

// write puts a line where the whole lines end.
func (l Ledger) write(at int64, line []byte) error {
	file, err := l.files.OpenFile(FileName, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := file.Truncate(at); err != nil {
		return errors.Join(err, file.Close())
	}
	_, err = file.WriteAt(line, at)
	return errors.Join(err, file.Sync(), file.Close())
}
