package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// buildInfo is what version tells.
type buildInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) versionCommand() *cobra.Command {
	f := struct{ output outputFlag }{output: outputFlag{format: formatText, formats: []string{formatText, formatJSON}}}
	c := &cobra.Command{
		Use:     "version",
		Short:   "Say which podium this is",
		Long:    "Say which podium this is, what it was built from and for which system.",
		Example: "  podium version\n  podium version -o json",
		Args:    args(0, 0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			return a.printVersion(f.output.format)
		},
	}
	a.addOutput(c, &f.output)
	return c
}

func (a *app) printVersion(format string) error {
	v := readBuildInfo()
	if format == formatJSON {
		return a.printJSON(v)
	}
	fmt.Fprintf(a.stdout, "podium %s", v.Version)
	if v.Revision != "" {
		fmt.Fprintf(a.stdout, " (%.12s", v.Revision)
		if v.Time != "" {
			fmt.Fprintf(a.stdout, " of %.10s", v.Time)
		}
		if v.Modified {
			fmt.Fprint(a.stdout, ", modified")
		}
		fmt.Fprint(a.stdout, ")")
	}
	fmt.Fprintf(a.stdout, ", %s, %s\n", v.Go, v.Platform)
	return nil
}

// release is the version of a release, such as 1.2.0, which the linker sets (see .goreleaser.yaml); empty in every other
// build.
var release string

// readBuildInfo takes the version from what the go command writes into every program, and from the release.
func readBuildInfo() buildInfo {
	v := buildInfo{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	if release != "" {
		v.Version = release
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

// printJSON writes v as indented JSON.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
