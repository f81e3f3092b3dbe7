package lab

import (
	"encoding/binary"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// builtin stands for the names of the catalogue.
var builtin = []string{"hosts", "base", "containerd", "kubeadm-init", "kubeadm-join", "kube-ready"}

// golden compares got with a file of testdata, or writes the file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), got); diff != "" {
		t.Errorf("%s differs (-want +got); if it should, run go test ./provision/lab -update:\n%s", file, diff)
	}
}

func fixtures(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures %s: %v", pattern, err)
	}
	return files
}

func fixtureName(file string) string { return strings.TrimSuffix(filepath.Base(file), ".yaml") }

// TestValid reads each valid-NAME.yaml; what it becomes, defaults filled in, stands in valid-NAME.golden.
func TestValid(t *testing.T) {
	for _, file := range fixtures(t, "valid-*.yaml") {
		t.Run(fixtureName(file), func(t *testing.T) {
			l, err := LoadWith(file, LoadOptions{Steps: builtin})
			if err != nil {
				t.Fatal(err)
			}
			text, err := Marshal(l)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, fixtureName(file)+".golden", string(text))
			again, at, err := Parse("again.yaml", text)
			if err != nil {
				t.Fatal(err)
			}
			Default(&again)
			again.Dir = l.Dir
			if err := Validate(again, at); err != nil {
				t.Errorf("written out, it is refused:\n%v", err)
			}
			if diff := cmp.Diff(l, again); diff != "" {
				t.Errorf("written out and read again, it differs (-first +again):\n%s", diff)
			}
		})
	}
}

// TestInvalid reads each invalid-NAME.yaml; everything podium says of it stands in invalid-NAME.golden.
func TestInvalid(t *testing.T) {
	for _, file := range fixtures(t, "invalid-*.yaml") {
		t.Run(fixtureName(file), func(t *testing.T) {
			_, err := LoadWith(file, LoadOptions{Steps: builtin})
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v, want a Problems", err)
			}
			golden(t, fixtureName(file)+".golden", strings.ReplaceAll(err.Error(), file, filepath.ToSlash(file))+"\n")
		})
	}
}

// TestEncodings reads the same lab as editors of several systems save it.
func TestEncodings(t *testing.T) {
	const text = "# 실습실 A\nname: lab\nnodes:\n  - name: box # 첫 번째\n    roles: [docker]\n"
	inUTF16 := func(order binary.AppendByteOrder) string {
		b := order.AppendUint16(nil, 0xfeff)
		for _, unit := range utf16.Encode([]rune(text)) {
			b = order.AppendUint16(b, unit)
		}
		return string(b)
	}
	want, _, err := Parse("lab.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, saved := range map[string]string{
		"byte order mark":      "\ufeff" + text,
		"CRLF":                 strings.ReplaceAll(text, "\n", "\r\n"),
		"CRLF and mark":        "\ufeff" + strings.ReplaceAll(text, "\n", "\r\n"),
		"CR":                   strings.ReplaceAll(text, "\n", "\r"),
		"no line end":          strings.TrimSuffix(text, "\n"),
		"UTF-16 little endian": inUTF16(binary.LittleEndian),
		"UTF-16 big endian":    inUTF16(binary.BigEndian),
		"a start line":         "---\n" + text,
		"an end line":          text + "...\n",
	} {
		got, _, err := Parse("lab.yaml", []byte(saved))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestPlaces counts columns in characters, whatever stands before and however lines end.
func TestPlaces(t *testing.T) {
	for text, want := range map[string]string{
		"name: lab\r\nnodes:\r\n  - name: 실습\r\n":                                "lab.yaml:3:11: nodes[0].name: \"실습\" is not a name",
		"name: lab\nnodes: [{name: a, roles: ['실', worker]}]\n":                  "lab.yaml:2:27: nodes[0].roles[0]: \"실\" is not known",
		"\ufeffname: Lab\nnodes: [{name: a}]\n":                                  "lab.yaml:1:7: name: \"Lab\"",
		"name: lab\nnodes:\n- name: a\n  roles:\n  - docker\n  - dokcer\n":       "lab.yaml:6:5: nodes[0].roles[1]: \"dokcer\"",
		"name: lab\nnodes:\n- name: a\n  address: &x 10.0.0.1\n- name: *x\n":     "lab.yaml:5:3: nodes[1].name: \"10.0.0.1\"",
		"name: lab\nnodes: [{name: a}]\nmirrors: {registries: {Docker: x}}\n":    "lab.yaml:3:32: mirrors.registries.Docker: \"Docker\" is not a registry",
		"name: lab\nnodes: [{name: a}]\nsteps:\n- name: s\n  after: [x]\n":       "lab.yaml:4:3: steps[0].script: is missing",
		"name: lab\nnodes: [{name: a, roles: [worker]}]\nkubernetes: {cni: x}\n": "lab.yaml:3:19: kubernetes.cni: \"x\" is not known",
	} {
		l, at, err := Parse("lab.yaml", []byte(text))
		if err == nil {
			Default(&l)
			err = Validate(l, at)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got\n%v\nwant a line that starts with\n%s", text, err, want)
		}
	}
}

// write puts a lab.yaml and a script into a new folder.
func write(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{FileName: text, "seed.sh": "true\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoadFindsTheFile(t *testing.T) {
	dir := write(t, "name: lab\nnodes: [{name: a}]\nsteps: [{name: s, script: seed.sh}]\n")
	for _, path := range []string{dir, filepath.Join(dir, FileName)} {
		l, err := Load(path)
		if err != nil || l.Name != "lab" || l.Dir != dir {
			t.Errorf("%s: got %q in %q, %v", path, l.Name, l.Dir, err)
		}
	}
	if _, err := Load(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "podium init") {
		t.Errorf("a missing folder: %v", err)
	}
	if _, err := Load(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder without lab.yaml: %v", err)
	}
	var problems Problems
	large := write(t, "name: lab\n#"+strings.Repeat(" ", maxFile))
	if _, err := Load(large); err == nil || errors.As(err, &problems) || !strings.Contains(err.Error(), "right file") {
		t.Errorf("a large file: %v", err)
	}
	if _, _, err := Parse("lab.yaml", make([]byte, maxFile+1)); !errors.As(err, &problems) {
		t.Errorf("a large text: %v", err)
	}
}

func TestProviderFromTheCaller(t *testing.T) {
	dir := write(t, "name: lab\nprovider: static\nnetwork: 10.20.0.0/24\nnodes:\n  - {name: a, address: 10.20.0.50}\n  - {name: b, ssh: {host: 10.20.0.5}}\n  - {name: c, ssh: {host: c.school.example}, address: 10.20.0.7}\n")
	l, err := LoadWith(dir, LoadOptions{Provider: ProviderSim})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := listed(l), "a=10.20.0.50 b=10.20.0.5 c=10.20.0.7"; l.Provider != ProviderSim || got != want {
		t.Errorf("got %s, %s; want %s", l.Provider, got, want)
	}
	if l.Incus != nil || l.Nodes[1].SSH != nil {
		t.Error("what the provider has no use for is kept")
	}
	if l, err = LoadWith(dir, LoadOptions{Provider: ProviderIncus}); err != nil || l.Incus == nil {
		t.Errorf("incus: %v; its section %v", err, l.Incus)
	}
	_, err = LoadWith(dir, LoadOptions{Provider: "vmware"})
	if err == nil || err.Error() != `--provider: "vmware" is not known: write virtualbox, libvirt, incus, static or sim` {
		t.Errorf("an unknown one: %v", err)
	}
	// One that stands in the file and is wrong does no harm when another is asked for.
	dir = write(t, "name: lab\nprovider: [x]\nnodes: [{name: a}]\n")
	if _, err = LoadWith(dir, LoadOptions{Provider: ProviderSim}); err == nil || strings.Contains(err.Error(), "--provider") {
		t.Errorf("a wrong one in the file: %v", err)
	}
}

func TestLoadChecks(t *testing.T) {
	dir := write(t, "name: lab\nnodes: [{name: a}]\nsteps:\n  - {name: s, script: seed.sh, after: [x]}\n")
	file := filepath.Join(dir, FileName)
	var checked Lab
	options := LoadOptions{Check: func(l Lab) error {
		checked = l
		return Problems{{Path: "steps[0].after[0]", Value: "x", Message: "is nowhere: leave it out"}, {Path: "nodes", Message: "are few: write more"}}
	}}
	_, err := LoadWith(file, options)
	want := file + ":2:1: nodes: are few: write more\n" + file + ":4:40: steps[0].after[0]: \"x\" is nowhere: leave it out"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if checked.Provider != ProviderVirtualBox {
		t.Error("the check saw a lab without defaults")
	}
	other := errors.New("other")
	options.Check = func(Lab) error { return other }
	if _, err := LoadWith(dir, options); err != other {
		t.Errorf("got %v", err)
	}
	options.Check = func(Lab) error { return nil }
	if l, err := LoadWith(dir, options); err != nil || l.Name != "lab" {
		t.Errorf("got %q, %v", l.Name, err)
	}
}

func TestMirrorsFromTheEnvironment(t *testing.T) {
	dir := write(t, "name: lab\nnodes: [{name: a}]\nmirrors: {apt: \"http://file.school.example\"}\n")
	env := map[string]string{
		"PODIUM_MIRROR_APT":        "http://env.school.example",
		"PODIUM_MIRROR_KUBERNETES": " http://env.school.example/k8s/ ",
		"PODIUM_MIRROR_REGISTRY":   "http://env.school.example:5000",
	}
	options := LoadOptions{Env: func(name string) string { return env[name] }}
	l, err := LoadWith(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	want := Mirrors{Apt: "http://file.school.example", Kubernetes: "http://env.school.example/k8s", Registry: "http://env.school.example:5000"}
	if diff := cmp.Diff(want, l.Mirrors); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	env["PODIUM_MIRROR_DOCKER"] = "nonsense"
	_, err = LoadWith(dir, options)
	if err == nil || !strings.HasPrefix(err.Error(), `PODIUM_MIRROR_DOCKER: "nonsense" is not an http or https URL`) {
		t.Errorf("got %v", err)
	}
}

// TestMirrorsFromThreePlaces: lab.yaml wins over the environment, and that over the user's settings, registry by registry.
func TestMirrorsFromThreePlaces(t *testing.T) {
	dir := write(t, "name: lab\nnodes: [{name: a}]\nmirrors: {apt: \"http://file\", registries: {docker.io: \"http://file:5000\"}}\n")
	env := map[string]string{
		"PODIUM_MIRROR_APT":        "http://env",
		"PODIUM_MIRROR_GITHUB":     "http://env/github",
		"PODIUM_MIRROR_REGISTRIES": "docker.io=http://env:5000, ghcr.io=http://env:5001/\nquay.io=http://env:5002",
	}
	config := filepath.Join(t.TempDir(), "config.yaml")
	options := LoadOptions{Env: func(name string) string { return env[name] }, Config: config}
	load := func(settings string) (Mirrors, error) {
		t.Helper()
		if err := os.WriteFile(config, []byte(settings), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := LoadWith(dir, options)
		return l.Mirrors, err
	}
	got, err := load("# of the school\nmirrors:\n  apt: http://user\n  github: http://user/github\n  helm: http://user/helm/\n  registries: {ghcr.io: \"http://user\", registry.k8s.io: \"http://user:5000/k8s/\"}\n")
	want := Mirrors{
		Apt: "http://file", GitHub: "http://env/github", Helm: "http://user/helm",
		Registries: map[string]string{
			"docker.io": "http://file:5000", "ghcr.io": "http://env:5001", "quay.io": "http://env:5002", "registry.k8s.io": "http://user:5000/k8s",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, nothing := range []string{"", "# nothing yet\n", "mirrors:\n", "---\n"} {
		if _, err := load(nothing); err != nil {
			t.Errorf("%q: %v", nothing, err)
		}
	}
	for _, c := range []struct{ settings, want string }{
		{"mirrors:\n  helm: nonsense\n", config + `:2:9: mirrors.helm: "nonsense" is not an http or https URL`},
		{"mirrors:\n  registries:\n    Quay: http://user\n", config + `:3:11: mirrors.registries.Quay: "Quay" is not a registry`},
		{"mirors: {apt: a}\n", config + ":1:1: mirors: is not a field here: did you mean mirrors?"},
		{"mirrors: {apt: [a]}\n", config + ":1:16: mirrors.apt: "},
		{"name: lab\n", config + ":1:1: name: is not a field here: write one of mirrors"},
		{"mirrors: {\n", config + ":"},
		{"- a\n", config + ":1:1: the file holds a list"},
	} {
		var problems Problems
		if _, err := load(c.settings); !errors.As(err, &problems) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q gives %v, want %s", c.settings, err, c.want)
		}
	}
	env["PODIUM_MIRROR_REGISTRIES"] = "docker.io http://env:5000"
	if _, err := load(""); err == nil || !strings.HasPrefix(err.Error(), `PODIUM_MIRROR_REGISTRIES: "docker.io" is not REGISTRY=URL: write docker.io=http://`) {
		t.Errorf("got %v", err)
	}
	env["PODIUM_MIRROR_REGISTRIES"] = "quay.io=ftp://env"
	if _, err := load(""); err == nil || !strings.HasPrefix(err.Error(), `PODIUM_MIRROR_REGISTRIES: "ftp://env" is not an http or https URL`) {
		t.Errorf("got %v", err)
	}
}

func TestMirrorVariables(t *testing.T) {
	m := Mirrors{Apt: "a", AptSecurity: "s", GitHub: "g"}
	want := map[string]string{"PODIUM_MIRROR_APT": "a", "PODIUM_MIRROR_APT_SECURITY": "s", "PODIUM_MIRROR_GITHUB": "g"}
	if diff := cmp.Diff(want, m.Variables()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestValidateWithoutFile checks a lab that a program made: problems name the path alone.
func TestValidateWithoutFile(t *testing.T) {
	l := Lab{Name: "lab", Nodes: []Node{{Name: "w", Count: -2, Roles: []string{RoleWorker}, CPUs: -1, Memory: MiB}}, Kubernetes: &Kubernetes{}}
	Default(&l)
	err := Validate(l, Positions{})
	want := `nodes[0].count: "-2" is not a number of machines: write 1 or more
nodes[0].cpus: "-1" is not a number of CPUs that a machine can have: write 1 or more
nodes[0].memory: "1MiB" is too little for the role worker, which needs 1GiB: write 1GiB
nodes[0].roles[0]: "worker" has no cluster to join: give one node the role control-plane`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	many := Lab{Name: "lab", Network: "172.20.0.0/16", Nodes: []Node{{Name: "a", Count: maxMachines}, {Name: "b", Count: 1 << 50}}}
	Default(&many)
	if err := Validate(many, Positions{}); err == nil || !strings.Contains(err.Error(), "more than 4096 machines") {
		t.Errorf("got %v", err)
	}
	many.Nodes = many.Nodes[:1]
	if err := Validate(many, Positions{}); err != nil {
		t.Errorf("%d machines: %v", maxMachines, err)
	}
}

func TestDefaultTwice(t *testing.T) {
	for _, file := range fixtures(t, "valid-*.yaml") {
		l, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		Default(&again)
		if diff := cmp.Diff(l, again); diff != "" {
			t.Errorf("%s: a second Default changes it (-first +second):\n%s", file, diff)
		}
	}
}

func TestPath(t *testing.T) {
	dir := t.TempDir()
	l := Lab{Dir: dir}
	if got, want := l.Path("keys/id"), filepath.Join(dir, "keys", "id"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := l.Path(filepath.Join(dir, "id")); got != filepath.Join(dir, "id") {
		t.Errorf("got %s", got)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		t.Skip("skipped: needs a home folder: set HOME")
	}
	if got, want := l.Path("~/.ssh/id"), filepath.Join(home, ".ssh", "id"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
