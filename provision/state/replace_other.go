//go:build !windows

package state

import (
	"os"
	"path/filepath"
)

// replace renames from to to, and brings the directory's entry to the disk.
func replace(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	// Not every file system syncs directories, and the rename has happened: a refusal is no failure.
	_ = dir.Sync()
	return dir.Close()
}
