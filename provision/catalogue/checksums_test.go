package catalogue

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every checksum is of a file that is downloaded.
func TestChecksumsAreOfDownloads(t *testing.T) {
	c := parsed(t)
	for _, p := range c.Components {
		left := map[string]bool{}
		for key, sum := range p.SHA256 {
			left[key] = true
			if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(sum) {
				t.Errorf("%s: %s: %q is not a SHA-256", p.Name, key, sum)
			}
		}
		for _, r := range p.Versions {
			for _, d := range c.Downloads(p.Name, r.Version) {
				delete(left, d.key(r.Version))
				if d.Path == "" || !strings.HasSuffix(d.URL, "/"+d.Path) {
					t.Errorf("%s %s: %s lies in no source", p.Name, r.Version, d.URL)
				}
			}
		}
		for key := range left {
			t.Errorf("%s: no file is %q", p.Name, key)
		}
	}
}

func TestPin(t *testing.T) {
	before, err := os.ReadFile("catalogue.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := string(before)
	sum := strings.Repeat("ab", 32)
	for _, pin := range []struct{ name, version, purpose, arch string }{
		{"helm", "4.3.1", "archive", "arm64"}, {"helm", "4.3.1", "archive", "amd64"}, {"cilium", "1.20.2", "chart", ""}, {"helm", "4.3.1", "archive", "arm64"},
	} {
		if text, err = Pin(text, pin.name, pin.version, []Download{{Purpose: pin.purpose, Arch: pin.arch, SHA256: sum}}); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, version := range map[string]string{"helm": "4.3.1", "cilium": "1.20.2"} {
		for _, d := range c.Downloads(name, version) {
			if d.SHA256 != sum {
				t.Errorf("%s %s has %q", name, d.key(version), d.SHA256)
			}
		}
	}
	added := strings.Count(text, "\n") - strings.Count(string(before), "\n")
	was := parsed(t)
	want := 3
	for _, name := range []string{"helm", "cilium"} {
		if p, _ := was.Find(name); len(p.SHA256) == 0 {
			want++ // the line "sha256:"
		}
	}
	if added > want {
		t.Errorf("%d lines more, want %d at most", added, want)
	}
	if _, err := Pin(text, "none", "1", nil); err == nil {
		t.Error("an unknown component is pinned")
	}
}

// FuzzPin: what is pinned is found again, and nothing else changes.
func FuzzPin(f *testing.F) {
	f.Add("components:\n  - name: a\n    about: x\n    versions: [{version: \"1\"}]\n    urls: {file: https://h/{version}}\n    from: y\n", "a")
	f.Add("sources:\n  - name: a\n    from: z\n\ncomponents:\n  - name: a\n    from: y\n", "a")
	f.Add("components:\n  - name: a\n    sha256:\n      1 file: "+strings.Repeat("0", 64)+"\n    from: y\n  - name: b\n    from: y\n", "b")
	f.Fuzz(func(t *testing.T, text, name string) {
		before, err := Parse([]byte(text))
		if err != nil {
			return
		}
		sum := strings.Repeat("ab", 32)
		pinned, err := Pin(text, name, "1", []Download{{Purpose: "file", SHA256: sum}})
		if err != nil {
			return
		}
		after, err := Parse([]byte(pinned))
		if err != nil || len(after.Components) != len(before.Components) || len(after.Sources) != len(before.Sources) {
			t.Fatalf("%q became %q, %v", text, pinned, err)
		}
		if c, ok := after.Find(name); !ok || c.SHA256["1 file"] != sum {
			t.Fatalf("%q became %q: no checksum of %s", text, pinned, name)
		}
	})
}
