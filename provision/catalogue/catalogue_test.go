package catalogue

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"podium/provision/version"
)

func parsed(t *testing.T) Catalogue {
	t.Helper()
	c, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParseIsStrict(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "sources:\n  - name: a\n    ur: b\n", "field ur not found"},
		{"unknown key of a component", "components:\n  - name: a\n    versions:\n      - {verison: 1}\n", "field verison not found"},
		{"no day", "components:\n  - name: a\n    checked: soon\n", `line 3: "soon" is not a day`},
		{"no such day", "components:\n  - name: a\n    checked: 2026-02-30\n", `"2026-02-30" is not a day`},
		{"key twice", "sources:\n  - name: a\n    name: b\n", "already defined"},
		{"no map", "[]", "cannot unmarshal"},
	} {
		if _, err := Parse([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Parse gives %v, which does not say %q", c.name, err, c.want)
		}
	}
}

// sorted reports names that do not ascend.
func sorted(t *testing.T, what string, names []string) {
	t.Helper()
	for i := 1; i < len(names); i++ {
		if names[i-1] >= names[i] {
			t.Errorf("%s: %s stands after %s", what, names[i], names[i-1])
		}
	}
}

func TestEntriesAreWholeAndSorted(t *testing.T) {
	c := parsed(t)
	var names []string
	for _, s := range c.Sources {
		names = append(names, s.Name)
		if s.From == "" || s.Checked == "" || !strings.HasPrefix(s.URL, "https://") && s.Name != "ubuntu" || strings.HasSuffix(s.URL, "/") {
			t.Errorf("source %s: from, checked and an https url without a slash at its end must be there: %+v", s.Name, s)
		}
		if s.Key != nil && s.Key.Fingerprint != "" && !regexp.MustCompile(`^[0-9A-F]{40}$`).MatchString(s.Key.Fingerprint) {
			t.Errorf("source %s: %q is not a fingerprint", s.Name, s.Key.Fingerprint)
		}
		if s.Key != nil && (s.Key.Minor != "") != strings.Contains(s.Key.Path, "{minor}") {
			t.Errorf("source %s: {minor} of the key's path and minor: belong together", s.Name)
		}
	}
	sorted(t, "sources", names)
	names = nil
	for _, p := range c.Components {
		names = append(names, p.Name)
		if p.About == "" || p.From == "" || p.Checked == "" || strings.Contains(p.About, "\n") {
			t.Errorf("component %s: about (one line), from and checked must be there", p.Name)
		}
		defaults := 0
		for i, r := range p.Versions {
			if r.Default {
				defaults++
			}
			if i > 0 && version.Compare(p.Versions[i-1].Version, r.Version) >= 0 {
				t.Errorf("component %s: version %s stands after %s", p.Name, r.Version, p.Versions[i-1].Version)
			}
			if r.Released != "" && r.End != "" && r.Released >= r.End {
				t.Errorf("component %s %s: ends before it was released", p.Name, r.Version)
			}
		}
		if want := min(1, len(p.Versions)); defaults != want {
			t.Errorf("component %s: %d defaults", p.Name, defaults)
		}
		if len(p.Versions) == 0 && p.Distribution == "" {
			t.Errorf("component %s: neither versions nor a package of the distribution", p.Name)
		}
	}
	sorted(t, "components", names)
}

var left = regexp.MustCompile(`\{[^}]*\}`)

// Every template can be filled in, and every address lies in a source.
func TestTemplates(t *testing.T) {
	c := parsed(t)
	for _, p := range c.Components {
		for _, r := range p.Versions {
			for purpose := range p.URLs {
				u := Expand(address(p.Name, purpose, r.Version, "amd64"), map[string]string{"distribution": "ubuntu", "codename": "noble"})
				if _, err := url.Parse(u); err != nil || left.MatchString(u) {
					t.Errorf("%s %s of %s: %s", purpose, p.Name, r.Version, u)
				}
				if _, ok := c.SourceOf(u); !ok {
					t.Errorf("%s lies in no source", u)
				}
			}
			for _, image := range Images(p.Name, r.Version) {
				if left.MatchString(image) || strings.Count(image, ":") != 1 || !strings.Contains(strings.Split(image, "/")[0], ".") {
					t.Errorf("%s: %s is not registry/name:tag", p.Name, image)
				}
			}
		}
	}
}

func TestSetsNameWhatIsThere(t *testing.T) {
	c := parsed(t)
	if minors := KubernetesMinors(); len(minors) != len(c.Sets) {
		t.Errorf("%d sets for %d versions of Kubernetes", len(c.Sets), len(minors))
	}
	for i, set := range c.Sets {
		if set.Kubernetes != KubernetesMinors()[i] {
			t.Errorf("set %d is for %s, not for %s", i, set.Kubernetes, KubernetesMinors()[i])
		}
		known := maps.Clone(set.With)
		for _, series := range set.Containerd {
			known["containerd"] = series
			p, _ := c.Find("containerd")
			if _, ok := p.Release(series); !ok {
				t.Errorf("set %s: containerd %s is not in the catalogue", set.Kubernetes, series)
			}
		}
		if !slices.IsSortedFunc(set.Containerd, version.Compare) || len(set.Containerd) == 0 {
			t.Errorf("set %s: containerd %v does not ascend", set.Kubernetes, set.Containerd)
		}
		for name, version := range set.With {
			p, ok := c.Find(name)
			if _, there := p.Release(version); !ok || !there {
				t.Errorf("set %s: %s %s is not in the catalogue", set.Kubernetes, name, version)
			}
		}
		proved := map[string]bool{}
		for _, tested := range set.Tested {
			if !slices.Contains([]string{"real nodes", "simulator", "upstream"}, tested.How) {
				t.Errorf("set %s: tested how: %q", set.Kubernetes, tested.How)
			}
			if (tested.How == "upstream") != (tested.From != "") {
				t.Errorf("set %s: from belongs to what upstream tested, and to that only", set.Kubernetes)
			}
			for _, name := range tested.With {
				proved[name] = true
				if known[name] == "" {
					t.Errorf("set %s: %s was tested, but is not in it", set.Kubernetes, name)
				}
			}
		}
		if !proved["containerd"] {
			t.Errorf("set %s: nobody tested containerd with it", set.Kubernetes)
		}
	}
	for name, version := range c.Sets[slices.Index(KubernetesMinors(), DefaultKubernetes())].With {
		if _, ok := c.Find(name); ok && (name == "etcd" || name == "coredns" || name == "pause" || name == "cri-o") && Version(name) != version {
			t.Errorf("%s by default is %s, and with Kubernetes by default %s", name, Version(name), version)
		}
	}
}

func TestAccessors(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Version("flannel"), "0.28.9"},
		{Version("nothing"), ""},
		{Version("haproxy"), ""},
		{VersionFor("etcd", "1.34.4"), "3.6.5"},
		{VersionFor("prometheus", "1.34"), Version("prometheus")},
		{VersionFor("flannel", "9.9"), Version("flannel")},
		{address("helm", "archive", "4.2.4", "arm64"), "https://get.helm.sh/helm-v4.2.4-linux-arm64.tar.gz"},
		{address("helm", "nothing", "4.2.4", "arm64"), ""},
		{address("kubernetes", "packages", "1.35.4", ""), "https://pkgs.k8s.io/core:/stable:/v1.35/deb/Release"},
		{Image("flannel", "plugin", "0.28.9"), "ghcr.io/flannel-io/flannel-cni-plugin:v" + Version("flannel-cni-plugin")},
		{strings.Join(Images("pause", "3.10"), " "), "registry.k8s.io/pause:3.10"},
		{Expand("a{b}c{version}{", map[string]string{"version": "1"}), "a{b}c1{"},
		{DefaultKubernetes(), "1.36"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// Calls of the accessors with literals name what the catalogue has.
func TestCallsNameWhatIsThere(t *testing.T) {
	c := parsed(t)
	arguments := map[string]int{"Version": 1, "VersionFor": 1, "Images": 1, "URL": 2, "Image": 2}
	calls := 0
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(src), "podium/provision/catalogue") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, src, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			function, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || len(call.Args) < arguments[function.Sel.Name] || arguments[function.Sel.Name] == 0 {
				return true
			}
			if of, ok := function.X.(*ast.Ident); !ok || of.Name != "catalogue" {
				return true
			}
			name, ok := literal(call.Args[0])
			if !ok {
				return true
			}
			calls++
			component, there := c.Find(name)
			if !there {
				t.Errorf("%s: catalogue.%s(%q): the catalogue has no such component", path, function.Sel.Name, name)
			} else if key, ok := literal(call.Args[arguments[function.Sel.Name]-1]); ok {
				if function.Sel.Name == "URL" && component.URLs[key] == "" || function.Sel.Name == "Image" && component.Images[key] == "" {
					t.Errorf("%s: catalogue.%s(%q, %q): the catalogue has no such entry", path, function.Sel.Name, name, key)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if calls < 4 {
		t.Errorf("%d calls found: does this test still look in the right place?", calls)
	}
}

func literal(e ast.Expr) (string, bool) {
	basic, ok := e.(*ast.BasicLit)
	if !ok || basic.Kind != token.STRING {
		return "", false
	}
	value, err := strconv.Unquote(basic.Value)
	return value, err == nil
}

// BenchmarkParse is what the catalogue costs a command that uses it.
func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

// address is where a component's file of that purpose comes from, upstream, for machines of an architecture (amd64, arm64).
// Empty for what the catalogue does not have, as Version.
func address(name, purpose, at, arch string) string {
	c, _ := All().Find(name)
	return Expand(c.URLs[purpose], map[string]string{"version": at, "minor": version.Minor(at), "arch": arch})
}
