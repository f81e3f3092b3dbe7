package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// aptCache serves a Debian archive. What never changes (packages, indexes by hash) is kept on disk; the few files
// that do change (InRelease and the like) are kept for ten minutes.
type aptCache struct {
	upstream string // without a slash at the end; the security archive is upstream + "-security"
	dir      string

	mu      sync.Mutex
	fetches map[string]*sync.Mutex // one download of a file at a time
}

// freshFor is how long a file that may change is served without asking upstream.
const freshFor = 10 * time.Minute

func (a *aptCache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := path.Clean("/" + r.URL.Path)
	url := a.upstream + at
	if rest, ok := strings.CutPrefix(at, "/debian-security/"); ok {
		url = a.upstream + "-security/" + rest
	}
	file := filepath.Join(a.dir, filepath.FromSlash(at))
	lock := a.lock(file)
	lock.Lock()
	err := a.fetch(r, url, at, file)
	lock.Unlock()
	var missing *statusError
	switch {
	case errors.As(err, &missing):
		http.Error(w, err.Error(), missing.code)
	case err != nil:
		log.Printf("%s: %v", url, err)
		http.Error(w, err.Error(), http.StatusBadGateway)
	default:
		http.ServeFile(w, r, file)
	}
}

func (a *aptCache) lock(file string) *sync.Mutex {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fetches == nil {
		a.fetches = map[string]*sync.Mutex{}
	}
	if a.fetches[file] == nil {
		a.fetches[file] = &sync.Mutex{}
	}
	return a.fetches[file]
}

type statusError struct {
	code int
	url  string
}

func (e *statusError) Error() string { return fmt.Sprintf("%s answers %d", e.url, e.code) }

// fetch sees to it that the file is there.
func (a *aptCache) fetch(r *http.Request, url, at, file string) error {
	info, err := os.Stat(file)
	if err == nil && (fixed(at) || time.Since(info.ModTime()) < freshFor) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return &statusError{answer.StatusCode, url}
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(file), ".part")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	if _, err := io.Copy(part, answer.Body); err != nil {
		part.Close()
		return err
	}
	if err := part.Close(); err != nil {
		return err
	}
	if err := os.Chmod(part.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(part.Name(), file)
}

// fixed reports whether what is at a path can never change.
func fixed(at string) bool {
	return strings.Contains(at, "/pool/") || strings.Contains(at, "/by-hash/")
}
