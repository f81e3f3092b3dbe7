package image

import (
	"io/fs"
	"os"
)

const (
	modeSticky = fs.ModeSticky | 0o777
	writeOnly  = os.O_WRONLY
)

func fileMode(bits uint32) fs.FileMode { return fs.FileMode(bits) & fs.ModePerm }
