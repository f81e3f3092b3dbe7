package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"podium/provision/folder"
)

// Sizes in bytes at which a file is moved aside and started afresh, so that a lab that runs every night does not fill
// the disk. One older generation is kept.
const (
	maxStepLog = 16 << 20
	maxJournal = 8 << 20
)

// older is where a full file goes: step.log.1.
func older(path string) string { return path + ".1" }

// Log is a file that is only appended to and that stays below twice its limit: when it is full it becomes NAME.1, in
// place of an earlier NAME.1. Writes may come from many goroutines; each Write stays together.
type Log struct {
	files folder.Folder
	name  string
	limit int64

	mu   sync.Mutex
	file *os.File
	size int64
}

// newLog opens a file for appending. A last line that a crash tore gets its end, so that what follows starts a line.
func newLog(files folder.Folder, name string, limit int64) (*Log, error) {
	l := &Log{files: files, name: name, limit: limit}
	if err := l.open(0); err != nil {
		return nil, err
	}
	if err := l.endLine(); err != nil && !folder.IsFull(err) {
		return nil, errors.Join(err, l.file.Close())
	}
	return l, nil
}

// Path is the file's path, for messages.
func (l *Log) Path() string { return l.files.Path(l.name) }

// Write appends p.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return 0, fmt.Errorf("write %s: %w", l.Path(), os.ErrClosed)
	}
	if l.size > 0 && l.size+int64(len(p)) > l.limit {
		if err := l.rotate(); err != nil {
			return 0, err
		}
	}
	n, err := l.file.Write(p)
	l.size += int64(n)
	return n, err
}

// Edit changes what the file and its older generation hold. For secrets that are known only after they were written.
func (l *Log) Edit(change func(text string) string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return fmt.Errorf("edit %s: %w", l.Path(), os.ErrClosed)
	}
	if _, err := editFile(l.files, older(l.name), change); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	size, err := editFile(l.files, l.name, change)
	if err == nil {
		l.size = size
	}
	return err
}

// editFile writes a file again where that makes a difference, and gives its size.
func editFile(files folder.Folder, name string, change func(string) string) (int64, error) {
	file, err := files.OpenFile(name, os.O_RDWR, 0) // not the appending one: Windows lets that shorten nothing
	if err != nil {
		return 0, fmt.Errorf("edit log: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		return 0, fmt.Errorf("edit log: %w", err)
	}
	changed := change(string(text))
	if changed == string(text) {
		return int64(len(text)), nil
	}
	if err = file.Truncate(0); err == nil {
		_, err = file.WriteAt([]byte(changed), 0)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return 0, fmt.Errorf("edit log: %w", err)
	}
	return int64(len(changed)), nil
}

// Close closes the file; later writes fail.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}

func (l *Log) open(flags int) error {
	f, err := l.files.OpenFile(l.name, os.O_CREATE|os.O_APPEND|os.O_RDWR|flags, 0o600)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("open log: %w", err), f.Close())
	}
	l.file, l.size = f, info.Size()
	return nil
}

func (l *Log) endLine() error {
	if l.size == 0 {
		return nil
	}
	last := make([]byte, 1)
	if _, err := l.file.ReadAt(last, l.size-1); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the end of %s: %w", l.Path(), err)
	}
	if last[0] == '\n' {
		return nil
	}
	n, err := l.file.Write([]byte("\n"))
	l.size += int64(n)
	return err
}

// rotate closes before it renames because Windows does not rename open files.
func (l *Log) rotate() error {
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("rotate %s: %w", l.Path(), err)
	}
	l.file = nil
	if err := l.files.Rename(l.name, older(l.name)); err != nil {
		return fmt.Errorf("rotate %s: %w", l.Path(), err)
	}
	return l.open(0)
}
