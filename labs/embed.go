// Package labs holds the labs that come with podium, one folder each: what a user copies first.
package labs

import (
	"embed"
	"io/fs"
)

//go:embed */lab.yaml */README.md */*.sh */exercises cicd/app msa/shop msa/mesh
var files embed.FS

// FS has one folder per lab: lab.yaml, README.md and what the lab's own steps need.
func FS() fs.FS { return files }

// Names lists the labs, sorted.
func Names() []string {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		panic(err) // cannot happen: the build embeds the folders
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names
}
