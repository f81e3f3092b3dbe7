//go:build unix

package doctor

import (
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// hardware is the computer's processor, also when podium itself was made for another (Rosetta).
func hardware() string {
	if runtime.GOOS == "darwin" && translated() {
		return "arm64"
	}
	return runtime.GOARCH
}

// freeSpace is what this user may still write at path, or at its nearest folder that exists. 0: not known.
func freeSpace(path string) int64 {
	for {
		var s unix.Statfs_t
		if err := unix.Statfs(path, &s); err == nil {
			return int64(s.Bavail) * int64(s.Bsize)
		} else if !os.IsNotExist(err) || path == filepath.Dir(path) {
			return 0
		}
		path = filepath.Dir(path)
	}
}

// SystemLanguage is the language of the system where it is not in the environment.
func SystemLanguage() string { return "" }
