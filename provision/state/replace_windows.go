package state

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// replace renames from to to. Windows refuses while anybody, such as a virus scanner or podium status, has the old file
// open, which lasts milliseconds; so it is tried again for up to two seconds.
func replace(from, to string) error {
	const pause, tries = 20 * time.Millisecond, 100
	for try := 1; ; try++ {
		err := os.Rename(from, to)
		busy := errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_SHARING_VIOLATION)
		if !busy || try == tries {
			return err
		}
		time.Sleep(pause)
	}
}
