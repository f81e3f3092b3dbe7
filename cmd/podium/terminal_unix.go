//go:build !windows

package main

import "os"

// understandsEscapes: terminals of Unix do, unless TERM says otherwise.
func understandsEscapes(*os.File) bool { return true }
