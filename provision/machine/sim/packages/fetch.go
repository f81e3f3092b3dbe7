package packages

import (
	"fmt"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// fetchAll downloads the packages.
func (g *getting) fetchAll(list []*Package) int {
	tries, _ := strconv.Atoi(g.config["acquire::retries"])
	if g.config["acquire::retries"] == "" {
		tries = 3
	}
	for i, p := range list {
		url := fmt.Sprintf("%s/%s_%s_%s.deb", g.origin(p), p.Name, p.Version, g.m.Hardware.Arch)
		for n := tries; ; n-- {
			err := g.m.Faults.Download(g.m, url)
			if err == nil {
				_, err = g.reach(url)
			}
			if err == nil {
				break
			}
			if g.ctx.Err() != nil {
				return 1
			}
			if n <= 0 {
				return g.fail("E: Failed to fetch %s  %v\nE: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?", url, err)
			}
		}
		g.say("Get:%d %s %s [simulated]", i+1, url, p.Version)
	}
	return 0
}

// reach checks that the server of a URL can be reached.
func (g *getting) reach(url string) (guest.Handler, error) {
	_, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	name, _, _ := strings.Cut(host, ":")
	return g.m.Net.Dial(g.ctx, g.m, name, 80)
}

// origin is the address that a package comes from: the mirror, where one was used.
func (g *getting) origin(p *Package) string {
	for _, f := range g.found {
		if f.pkg == p {
			entries, _ := g.m.FS.ReadDir(vfs.Root(), listsDir)
			for _, e := range entries {
				text, _ := g.m.FS.ReadFile(vfs.Root(), listsDir+e.Name())
				if strings.Contains(text, "Archive: "+f.release.URL+"\nSuite: "+f.release.Suite+"\n") {
					if _, from, ok := strings.Cut(text, "\nFrom: "); ok {
						return strings.TrimRight(strings.TrimSpace(from), "/")
					}
				}
			}
			return "http://" + f.release.URL
		}
	}
	return "http://archive.ubuntu.com/ubuntu"
}
