package catalogue

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Download is one file of a component at a version, which a machine downloads and runs or applies.
type Download struct {
	Purpose string
	Arch    string // empty: the same file for all
	URL     string // upstream
	Path    string // of the URL, below the address of its source: the same on a mirror
	SHA256  string // what it must be; empty: not known
}

// key is what the checksum stands under in catalogue.yaml: "0.4.10 archive amd64".
func (d Download) key(version string) string {
	return strings.TrimSuffix(version+" "+d.Purpose+" "+d.Arch, " ")
}

// Architectures are those of the machines that podium makes.
func Architectures() []string { return []string{"amd64", "arm64"} }

// Downloads are the files of a component at a version. Packages of an archive are not among them, as the archive's key
// signs them; nor are the checksums that some makers publish beside their files.
func (c Catalogue) Downloads(name, version string) []Download {
	component, _ := c.Find(name)
	var list []Download
	for _, purpose := range slices.Sorted(maps.Keys(component.URLs)) {
		if !isDownload(purpose) {
			continue
		}
		template, architectures := component.URLs[purpose], []string{""}
		if strings.Contains(template, "{arch}") {
			architectures = Architectures()
		}
		for _, arch := range architectures {
			d := Download{Purpose: purpose, Arch: arch}
			d.URL = Expand(template, map[string]string{"version": version, "arch": arch})
			if source, ok := c.SourceOf(d.URL); ok {
				d.Path = strings.TrimPrefix(d.URL, source.URL+"/")
			}
			d.SHA256 = component.SHA256[d.key(version)]
			list = append(list, d)
		}
	}
	return list
}

func isDownload(purpose string) bool {
	return purpose != "packages" && purpose != "checksums" && purpose != "checksum"
}

// Pin writes checksums of a component at a version into the text of a catalogue, by purpose and architecture as Downloads
// has them, and keeps everything else as it stands.
func Pin(text, name, version string, downloads []Download) (string, error) {
	c, err := Parse([]byte(text))
	if err != nil {
		return "", err
	}
	component, ok := c.Find(name)
	if !ok {
		return "", fmt.Errorf("the catalogue has no component %q", name)
	}
	sums := maps.Clone(component.SHA256)
	if sums == nil {
		sums = map[string]string{}
	}
	for _, d := range downloads {
		sums[d.key(version)] = d.SHA256
	}
	sources, components, _ := strings.Cut(text, "\ncomponents:\n")
	head, rest, found := strings.Cut("\n"+components, "\n  - name: "+name+"\n")
	body, tail, ends := strings.Cut(rest, "\n    from: ")
	if !found || !ends {
		return "", fmt.Errorf("component %s does not stand as podium writes it: a line \"  - name: %s\" and a line \"    from: ...\"", name, name)
	}
	body, _, _ = strings.Cut(body, "\n    sha256:\n")
	var lines strings.Builder
	for _, key := range slices.Sorted(maps.Keys(sums)) {
		fmt.Fprintf(&lines, "\n      %s: %s", key, sums[key])
	}
	pinned := sources + "\ncomponents:" + head + "\n  - name: " + name + "\n" + body + "\n    sha256:" + lines.String() + "\n    from: " + tail
	if _, err := Parse([]byte(pinned)); err != nil {
		return "", fmt.Errorf("pin %s: %w", name, err)
	}
	return pinned, nil
}
