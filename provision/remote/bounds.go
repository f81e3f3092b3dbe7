package remote

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// What a node may make this computer hold. A node that means well comes near none of it.
const (
	maxNames   = 500_000   // in a folder that is copied, with all below it
	maxPath    = 4096      // bytes of a path, as Linux has it
	maxListing = 64 << 20  // bytes of SFTP answers while one folder is listed
	keepFree   = 512 << 20 // bytes of this computer's disk
)

var errListing = errors.New("the folder has more names than podium takes")

// DiskGuard passes on what is written to a file in a folder of this computer, and stops while there is still some room on
// the disk: an endless file of a node must not fill it.
func DiskGuard(w io.Writer, folder string) io.Writer { return &diskGuard{w: w, folder: folder} }

type diskGuard struct {
	w      io.Writer
	folder string
	room   int64 // bytes until the next look at the disk
}

// lookEvery is how many bytes are written between two looks at the disk.
const lookEvery = 64 << 20

func (g *diskGuard) Write(p []byte) (int, error) {
	if g.room -= int64(len(p)); g.room < 0 {
		free, known := freeSpace(g.folder)
		if known && free-int64(len(p)) < keepFree {
			return 0, fmt.Errorf("%w in %s: %d MiB are free on this computer, and podium leaves %d MiB", ErrNoSpace, g.folder, free>>20, keepFree>>20)
		}
		g.room = lookEvery
	}
	return g.w.Write(p)
}

// meter counts what an SFTP server sends while a folder is listed, and ends the connection to it when that is too much:
// the client keeps a listing in memory until it has it whole.
type meter struct {
	io.Reader
	left    atomic.Int64 // bytes that may still come; counts only while listing
	listing atomic.Int32 // listings under way
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if m.listing.Load() > 0 && m.left.Add(int64(-n)) < 0 {
		return 0, errListing
	}
	return n, err
}

// during lets f list a folder, and explains its error when it was cut off.
func (m *meter) during(f func() error) error {
	m.left.Store(maxListing)
	m.listing.Add(1)
	defer m.listing.Add(-1)
	err := f()
	if err != nil && m.left.Load() < 0 {
		return errListing
	}
	return err
}
