package packages

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// update reads the indexes of all sources.
func (g *getting) update() int {
	sources, err := readSources(g.m)
	if err != nil {
		return g.fail("%v", err)
	}
	if err := g.offline(); err != nil {
		return g.fail("%v", err)
	}
	kept := map[string]bool{}
	var warnings, errs []string
	for i, s := range sources {
		kept[path.Base(s.listFile())] = true
		rel, err := g.retry(s)
		if g.ctx.Err() != nil {
			return 1
		}
		if err != nil {
			g.say("Err:%d %s %s InRelease\n  %v", i+1, s.uri, s.suite, err)
			msg := fmt.Sprintf("Failed to fetch %s  %v", s.url(), err)
			if strings.HasPrefix(err.Error(), "404") {
				errs = append(errs, "E: The repository '"+s.uri+" "+s.suite+" Release' does not have a Release file.")
			} else {
				warnings = append(warnings, msg)
			}
			continue
		}
		if !s.keyed(g.m, rel.Archive.Key) {
			g.say("Err:%d %s %s InRelease\n  The following signatures couldn't be verified because the public key is not available: NO_PUBKEY %s", i+1, s.uri, s.suite, keyID(rel.Archive.Key))
			errs = append(errs, fmt.Sprintf("W: GPG error: %s %s InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY %s\n"+
				"E: The repository '%s %s InRelease' is not signed.", s.uri, s.suite, keyID(rel.Archive.Key), s.uri, s.suite))
			continue
		}
		g.say("Get:%d %s %s InRelease [simulated]", i+1, s.uri, s.suite)
		text := fmt.Sprintf("Archive: %s\nSuite: %s\nFrom: %s\n", rel.URL, rel.Suite, s.uri)
		if err := g.m.FS.WriteFile(vfs.Root(), s.listFile(), text, 0o644); err != nil {
			return g.fail("E: Write error - write (28: %s)", guest.Reason(err))
		}
	}
	g.forget(kept)
	g.say("Reading package lists...")
	strict := g.config["apt::update::error-mode"] == "any" || g.o.Value("error-on") == "any"
	for _, w := range warnings {
		if strict {
			g.p.Errorf("E: %s", w)
		} else {
			g.p.Errorf("W: %s", w)
		}
	}
	for _, e := range errs {
		g.p.Errorf("%s", e)
	}
	if len(warnings) > 0 {
		g.p.Errorf("%s: Some index files failed to download. They have been ignored, or old ones used instead.", map[bool]string{true: "E", false: "W"}[strict])
	}
	if len(errs) > 0 || strict && len(warnings) > 0 {
		return 100
	}
	return 0
}

func keyID(owner string) string {
	sum := uint64(14695981039346656037)
	for _, c := range []byte(owner) {
		sum = (sum ^ uint64(c)) * 1099511628211
	}
	return fmt.Sprintf("%016X", sum)
}

// retry fetches as often as Acquire::Retries allows.
func (g *getting) retry(s source) (*Release, error) {
	tries, _ := strconv.Atoi(g.config["acquire::retries"])
	if g.config["acquire::retries"] == "" {
		tries = 3
	}
	for {
		rel, err := s.fetch(g.ctx, g.m)
		if err == nil || strings.HasPrefix(err.Error(), "404") || tries == 0 || g.ctx.Err() != nil {
			return rel, err
		}
		tries--
	}
}

// offline fails when a proxy is configured that nobody has.
func (g *getting) offline() error { return nil }

// forget removes the indexes of sources that are no more.
func (g *getting) forget(kept map[string]bool) {
	entries, _ := g.m.FS.ReadDir(vfs.Root(), listsDir)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), "_InRelease") && !kept[e.Name()] {
			g.m.FS.Remove(vfs.Root(), listsDir+e.Name()) //nolint:errcheck // gone already
		}
	}
}
