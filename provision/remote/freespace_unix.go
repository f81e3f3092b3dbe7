//go:build unix

package remote

import "golang.org/x/sys/unix"

// freeSpace is what this user may still write to a folder of this computer; false where it cannot be told.
func freeSpace(folder string) (int64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
