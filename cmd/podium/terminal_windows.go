package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// understandsEscapes makes the console interpret escape sequences, which old ones do only when asked, and reports
// whether it does.
func understandsEscapes(f *os.File) bool {
	var mode uint32
	console := windows.Handle(f.Fd())
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
