package main

import (
	"flag"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write golden files")
	testscript.Main(m, map[string]func(){"podium": func() { os.Exit(run(system())) }})
}
