//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

// mounts is the condition [mounts]: small file systems are made on Linux only.
func mounts() bool { return false }

func smalldisk(ts *testscript.TestScript, _ bool, _ []string) { ts.Fatalf("needs Linux") }
