// Package scripts holds the bash scripts that run on nodes, as files: a teacher can read and run each alone. What
// else lies in the folder is for people and CI and is not part of the program.
package scripts

import (
	"embed"
	"io/fs"
)

//go:embed guest
var files embed.FS

// Guest is the folder scripts/guest: one script per step, probes (probe-*.sh), inputs (input-*.sh) and lib/.
func Guest() fs.FS {
	sub, err := fs.Sub(files, "guest")
	if err != nil {
		panic(err) // cannot happen: the name is valid
	}
	return sub
}
