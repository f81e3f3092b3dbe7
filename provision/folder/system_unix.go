//go:build !windows

package folder

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// noBlock opens a named pipe without waiting for its other end, and a terminal without taking it over.
const noBlock = syscall.O_NONBLOCK | syscall.O_NOCTTY

// replace renames a file, and brings the directory's entry to the disk.
func replace(root *os.Root, from, to string) error {
	if err := root.Rename(from, to); err != nil {
		return err
	}
	dir, err := root.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	// Not every file system syncs directories, and the rename has happened: a refusal is not a failure.
	_ = dir.Sync()
	return dir.Close()
}

// removeAll deletes a name with all that is below it.
func removeAll(root *os.Root, name string) error { return root.RemoveAll(name) }

// IsFull reports whether err says that the disk, or the user's share of it, is full.
func IsFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// OwnerOf tells whose a file or folder is; a link is followed. ok is false where that cannot be told.
func OwnerOf(path string) (owner Owner, ok bool) {
	info, err := os.Stat(path)
	if err != nil {
		return Owner{}, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return Owner{}, false
	}
	id := strconv.FormatUint(uint64(stat.Uid), 10)
	owner = Owner{Name: "user " + id, System: stat.Uid == 0, Me: int(stat.Uid) == os.Geteuid()}
	if u, err := user.LookupId(id); err == nil {
		owner.Name = u.Username
	}
	// sudo: root works for the person who called it, as git has it.
	owner.Sudo = !owner.Me && os.Geteuid() == 0 && os.Getenv("SUDO_UID") == id
	return owner, true
}
