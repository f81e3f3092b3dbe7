package lab

import (
	"os"
	"path/filepath"
	"strings"
)

// Path is where a file that the description names lies on this computer: relative names count from the lab's folder,
// ~/ from the user's home.
func (l Lab) Path(name string) string {
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, filepath.FromSlash(rest))
		}
	}
	name = filepath.FromSlash(name)
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(l.Dir, name)
}
