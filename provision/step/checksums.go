package step

import (
	"slices"
	"strings"

	"podium/provision/catalogue"
	"podium/provision/lab"
)

// downloading adds what the files of a component at a version have to be, as far as the catalogue knows, to the variable
// PODIUM_CHECKSUMS: "checksum path" a line. A mirror that builds files of its own states their checksums in the lab; the
// simulator's internet has stand-ins for all files, and no checksums.
func (v Vars) downloading(c Context, name, version string) Vars {
	if c.Lab.Provider == lab.ProviderSim {
		return v
	}
	var lines []string
	if known := v["PODIUM_CHECKSUMS"]; known != "" {
		lines = strings.Split(known, "\n")
	}
	for _, d := range catalogue.All().Downloads(name, version) {
		if sum := first(c.Lab.Mirrors.Checksums[d.Path], d.SHA256); sum != "" {
			lines = append(lines, sum+" "+d.Path)
		}
	}
	slices.Sort(lines)
	v.set("PODIUM_CHECKSUMS", strings.Join(slices.Compact(lines), "\n"))
	return v
}
