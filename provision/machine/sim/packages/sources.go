package packages

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// source is one suite of one archive, as a line or stanza of apt's sources names it.
type source struct {
	file     string
	uri      string
	suite    string
	comps    []string
	signedBy string
	trusted  bool
}

const listsDir = "/var/lib/apt/lists/"

// listFile is where the index of a source is kept.
func (s source) listFile() string {
	name := strings.TrimPrefix(strings.TrimPrefix(s.uri, "https://"), "http://")
	name = strings.TrimRight(name, "/") + "/dists/" + s.suite
	if strings.HasSuffix(s.suite, "/") {
		name = strings.TrimRight(strings.TrimRight(strings.TrimPrefix(strings.TrimPrefix(s.uri, "https://"), "http://"), "/")+"/"+strings.Trim(s.suite, "/"), "/")
	}
	return listsDir + strings.NewReplacer("/", "_", ":", "%3a").Replace(name) + "_InRelease"
}

// url is what apt fetches of the source.
func (s source) url() string {
	if strings.HasSuffix(s.suite, "/") {
		return strings.TrimRight(strings.TrimRight(s.uri, "/")+"/"+strings.Trim(s.suite, "/"), "/") + "/InRelease"
	}
	return strings.TrimRight(s.uri, "/") + "/dists/" + s.suite + "/InRelease"
}

// errSources is a source that apt cannot read.
type errSources struct{ text string }

func (e *errSources) Error() string { return e.text }

// readSources reads /etc/apt/sources.list and what lies beside it.
func readSources(m *guest.Machine) ([]source, error) {
	files := []string{"/etc/apt/sources.list"}
	entries, _ := m.FS.ReadDir(vfs.Root(), "/etc/apt/sources.list.d")
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".list") || strings.HasSuffix(e.Name(), ".sources") {
			files = append(files, "/etc/apt/sources.list.d/"+e.Name())
		}
	}
	var all []source
	for _, file := range files {
		text, err := m.FS.ReadFile(vfs.Root(), file)
		if err != nil {
			continue
		}
		var list []source
		if strings.HasSuffix(file, ".sources") {
			list, err = parseStanzas(file, text)
		} else {
			list, err = parseLines(file, text)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

func parseLines(file, text string) ([]source, error) {
	var list []source
	n := 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		malformed := func(why string) error {
			return &errSources{fmt.Sprintf("E: Malformed entry %d in list file %s (%s)\nE: The list of sources could not be read.", n, file, why)}
		}
		kind, rest, _ := strings.Cut(line, " ")
		if kind != "deb" && kind != "deb-src" {
			return nil, &errSources{fmt.Sprintf("E: Type '%s' is not known on line %d in source list %s\nE: The list of sources could not be read.", kind, n, file)}
		}
		s := source{file: file}
		if rest = strings.TrimSpace(rest); strings.HasPrefix(rest, "[") {
			options, after, ok := strings.Cut(rest[1:], "]")
			if !ok {
				return nil, malformed("[option] unparseable")
			}
			for _, o := range strings.Fields(options) {
				key, value, _ := strings.Cut(o, "=")
				switch key {
				case "signed-by":
					s.signedBy = value
				case "trusted":
					s.trusted = value == "yes"
				}
			}
			rest = after
		}
		f := strings.Fields(rest)
		if len(f) < 2 {
			return nil, malformed("Suite")
		}
		s.uri, s.suite, s.comps = f[0], f[1], f[2:]
		if len(s.comps) == 0 && !strings.HasSuffix(s.suite, "/") {
			return nil, malformed("Component")
		}
		if kind == "deb" {
			list = append(list, s)
		}
	}
	return list, nil
}

func parseStanzas(file, text string) ([]source, error) {
	var list []source
	for i, block := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		fields := map[string]string{}
		key := ""
		for line := range strings.Lines(block) {
			line = strings.TrimRight(line, "\n")
			if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
				continue
			}
			if line[0] == ' ' || line[0] == '\t' {
				fields[key] += "\n" + strings.TrimSpace(line)
				continue
			}
			var value string
			var ok bool
			key, value, ok = strings.Cut(line, ":")
			if !ok {
				return nil, &errSources{fmt.Sprintf("E: Malformed stanza %d in source list %s (type)\nE: The list of sources could not be read.", i+1, file)}
			}
			key = strings.ToLower(key)
			fields[key] = strings.TrimSpace(value)
		}
		if len(fields) == 0 || strings.EqualFold(fields["enabled"], "no") {
			continue
		}
		for _, need := range []string{"types", "uris", "suites"} {
			if fields[need] == "" {
				return nil, &errSources{fmt.Sprintf("E: Malformed entry %d in sources file %s (%s)\nE: The list of sources could not be read.", i+1, file, strings.ToUpper(need[:1])+need[1:])}
			}
		}
		if !slices.Contains(strings.Fields(fields["types"]), "deb") {
			continue
		}
		comps := strings.Fields(fields["components"])
		for _, uri := range strings.Fields(fields["uris"]) {
			for _, suite := range strings.Fields(fields["suites"]) {
				if len(comps) == 0 && !strings.HasSuffix(suite, "/") {
					return nil, &errSources{fmt.Sprintf("E: Malformed entry %d in sources file %s (Component)\nE: The list of sources could not be read.", i+1, file)}
				}
				list = append(list, source{
					file: file, uri: uri, suite: suite, comps: comps, signedBy: fields["signed-by"], trusted: strings.EqualFold(fields["trusted"], "yes"),
				})
			}
		}
	}
	return list, nil
}

// keyed reports whether the source's key is on the machine: the file or text of signed-by, or the general keyrings.
func (s source) keyed(m *guest.Machine, owner string) bool {
	if s.trusted {
		return true
	}
	has := func(text string) bool { return strings.Contains(text, "simulated key of "+owner+"\n") }
	if strings.Contains(s.signedBy, "BEGIN PGP") {
		return has(s.signedBy + "\n")
	}
	if s.signedBy != "" {
		text, err := m.FS.ReadFile(vfs.Root(), s.signedBy)
		if err != nil {
			return false
		}
		// apt takes armoured keys from .asc and binary ones from .gpg only.
		armoured := strings.HasPrefix(text, "-----BEGIN PGP")
		if armoured != strings.HasSuffix(s.signedBy, ".asc") && !strings.HasPrefix(s.signedBy, "/usr/share/keyrings/") {
			return false
		}
		return has(text)
	}
	for _, dir := range []string{"/etc/apt/trusted.gpg.d"} {
		entries, _ := m.FS.ReadDir(vfs.Root(), dir)
		for _, e := range entries {
			if text, err := m.FS.ReadFile(vfs.Root(), dir+"/"+e.Name()); err == nil && has(text) {
				return true
			}
		}
	}
	return false
}

// Release is what an archive answers for one of its suites.
type Release struct {
	URL     string // of the archive upstream, whatever mirror it came from
	Suite   string
	Archive *Archive
}

// fetch asks for the source's index; the error is worded as apt words it.
func (s source) fetch(ctx context.Context, m *guest.Machine) (*Release, error) {
	url := s.url()
	if err := m.Faults.Download(m, url); err != nil {
		return nil, fmt.Errorf("%w", err)
	}
	r, err := Fetch(ctx, m, url)
	if err != nil {
		return nil, err
	}
	rel, ok := r.Reply.(*Release)
	if r.Code != 200 || !ok {
		return nil, fmt.Errorf("404  Not Found [IP: simulated]")
	}
	return rel, nil
}

// Fetch asks a server outside or in the lab for a URL.
func Fetch(ctx context.Context, m *guest.Machine, url string) (guest.Response, error) {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		return guest.Response{}, fmt.Errorf("%s: no scheme", url)
	}
	host, path, _ := strings.Cut(rest, "/")
	name, port := host, 80
	if scheme == "https" {
		port = 443
	}
	if i := strings.LastIndexByte(host, ':'); i > 0 {
		name = host[:i]
		fmt.Sscan(host[i+1:], &port)
	}
	h, err := m.Net.Dial(ctx, m, name, port)
	if err != nil {
		return guest.Response{}, err
	}
	return h.Serve(ctx, guest.Request{From: m, Method: "GET", Host: host, Path: "/" + path}), nil
}

// lists are the indexes that apt-get update has read, as the files it left say.
func lists(m *guest.Machine) []Release {
	entries, _ := m.FS.ReadDir(vfs.Root(), listsDir)
	var all []Release
	for _, e := range entries {
		text, err := m.FS.ReadFile(vfs.Root(), listsDir+e.Name())
		if err != nil || !strings.HasSuffix(e.Name(), "_InRelease") {
			continue
		}
		var r Release
		for line := range strings.Lines(text) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			switch key {
			case "Archive":
				r.URL = value
			case "Suite":
				r.Suite = value
			}
		}
		all = append(all, r)
	}
	return all
}
