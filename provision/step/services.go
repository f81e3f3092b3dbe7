package step

import (
	"fmt"
)

// filesDir is where a step's files lie on a node until its script puts them to use.
const filesDir = "/var/lib/podium/files/"

// file is a rendered template in filesDir.
func file(name string, mode uint32, data interface{ Render() (string, error) }) File {
	return File{Path: filesDir + name, Mode: mode, Text: text(data)}
}

// text is a rendered template. Templates are embedded and what goes into them is typed: an error is a mistake in this
// program, which the golden tests would show.
func text(data interface{ Render() (string, error) }) string {
	rendered, err := data.Render()
	if err != nil {
		panic(fmt.Errorf("%T: %w", data, err))
	}
	return rendered
}
