package scripts_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"podium/provision/catalogue"
	"podium/provision/step"
	"podium/scripts"
)

// guestScripts are all files of scripts/guest by name, with their text.
func guestScripts(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := fs.WalkDir(scripts.Guest(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(scripts.Guest(), name)
		texts[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

func lint(t *testing.T, program, install string, arguments ...string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("skipped: needs %s: %s", program, install)
	}
	for name := range guestScripts(t) {
		arguments = append(arguments, path.Join("guest", name))
	}
	out, err := exec.Command(program, arguments...).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", program, err, out)
	}
}

func TestShellcheck(t *testing.T) {
	lint(t, "shellcheck", "apt-get install shellcheck", "--external-sources")
}

func TestShfmt(t *testing.T) {
	lint(t, "shfmt", "go install mvdan.cc/sh/v3/cmd/shfmt@latest", "-i", "2", "-ci", "-d")
}

// names are what differs from box to box, or is no longer done.
var namesNobodyUses = map[string]string{
	"apt-key ": "a file named by Signed-By",
	"eth0":     "the card that has PODIUM_ADDRESS",
	"eth1":     "the card that has PODIUM_ADDRESS",
	"enp0s8":   "the card that has PODIUM_ADDRESS",
}

func TestNothingDead(t *testing.T) {
	for name, text := range guestScripts(t) {
		for word, instead := range namesNobodyUses {
			if strings.Contains(text, word) {
				t.Errorf("%s contains %q: use %s", name, word, instead)
			}
		}
	}
}

// everyFile calls visit for what podium hands out or runs: scripts, templates and labs.
func everyFile(t *testing.T, visit func(name, text string)) {
	t.Helper()
	files := 0
	for _, dir := range []string{".", "../templates", "../labs", "../.ci"} {
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			if strings.HasSuffix(name, "_test.go") {
				return nil
			}
			text, err := os.ReadFile(name)
			files++
			visit(name, string(text))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 60 {
		t.Errorf("%d files only: does this test still look in the right places?", files)
	}
}

// No script, template or lab names an address that is known to be dead, or downloads from one that the catalogue does
// not know.
func TestAddresses(t *testing.T) {
	c := catalogue.All()
	var known []string
	for _, s := range c.Sources {
		known = append(known, s.URL)
	}
	url := regexp.MustCompile(`https?://[a-zA-Z0-9][a-zA-Z0-9.-]*\.[a-z]+[^\s"'<>)\]},;` + "`" + `]*`)
	service := regexp.MustCompile(`^http://[a-z0-9.-]+\.svc\b`) // of a cluster
	everyFile(t, func(name, text string) {
		for _, dead := range c.Dead {
			if strings.Contains(text, dead.What) {
				t.Errorf("%s contains %q, which is dead: use %s", name, dead.What, dead.Instead)
			}
		}
		runs := strings.HasPrefix(name, "guest") || strings.HasSuffix(name, ".tmpl") || strings.HasSuffix(name, ".yaml") || strings.HasPrefix(name, "../labs") && strings.HasSuffix(name, ".sh")
		if !runs {
			return // pages for people and end-to-end runs may name whatever explains or plays something
		}
		text = regexp.MustCompile(`(?m)^Documentation=.*$`).ReplaceAllString(withoutComments(text), "")
		for _, found := range url.FindAllString(text, -1) {
			if service.MatchString(found) {
				continue
			}
			if !slices.ContainsFunc(append(known, elsewhere...), func(base string) bool { return strings.HasPrefix(found, base) }) {
				t.Errorf("%s downloads from %s, which no source of the catalogue has", name, found)
			}
		}
	})
}

// elsewhere are addresses in scripts that nothing of a lab comes from.
var elsewhere = []string{
	"http://127.0.0.1", "http://archive.ubuntu.com", "http://security.ubuntu.com", "http://ports.ubuntu.com", "http://deb.debian.org", "http://security.debian.org",
}

// Scripts run with set -u and C locale, and hold whatever the simulator's bash has: no awk, perl or python.
func TestEveryScriptTakesInTheLibrary(t *testing.T) {
	for name, text := range guestScripts(t) {
		if strings.HasPrefix(name, "lib/") {
			continue
		}
		if !strings.HasPrefix(text, "#!/bin/bash\n# "+name+": ") {
			t.Errorf("%s does not begin with #!/bin/bash and a line that says what it does", name)
		}
		if !strings.Contains(text, "\n. \"$(dirname \"$0\")/lib/step.sh\"\n") {
			t.Errorf("%s does not take in lib/step.sh", name)
		}
		for _, head := range []string{"# Takes:  "} {
			if !strings.Contains(text, head) {
				t.Errorf("%s has no line %q", name, head)
			}
		}
		plain := withoutComments(text)
		if strings.Contains(plain, `\'`) {
			t.Errorf("%s has \\' in it: in a here-document bash keeps that backslash", name)
		}
		for _, word := range []string{"awk", "perl", "python", "jq", "<(", ">("} {
			if regexp.MustCompile(`(^|[\s|(;&])` + regexp.QuoteMeta(word)).MatchString(plain) {
				t.Errorf("%s uses %q: keep to what is on every box, and in the simulator", name, word)
			}
		}
	}
}

func withoutComments(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// Every file of scripts/guest is used by a row of the catalogue, and every file that a row names is there.
func TestEveryFileIsUsed(t *testing.T) {
	// What the engine sends by itself.
	used := map[string]bool{"lib/runner.sh": true, "lib/bundle.sh": true, "lib/look.sh": true}
	include := regexp.MustCompile(`(?m)^\. "\$\(dirname "\$0"\)/(lib/[a-z-]+\.sh)"$`)
	use := func(name string) {
		if name == "" {
			return
		}
		used[name] = true
		text, err := fs.ReadFile(scripts.Guest(), name)
		if err != nil {
			t.Errorf("the catalogue names a script that is not there: %v", err)
		}
		for _, lib := range include.FindAllStringSubmatch(string(text), -1) {
			used[lib[1]] = true
		}
	}
	for _, row := range step.Catalogue() {
		use(row.Script)
		use(row.Probe)
	}
	for _, input := range inputs(t) {
		use(input.Script)
	}
	for _, row := range step.Repairs() {
		use(row.Script)
	}
	leave := step.Leaving()
	use(leave.Drain)
	use(leave.Reset)
	use(leave.Forget)
	for name := range guestScripts(t) {
		if !used[name] {
			t.Errorf("scripts/guest/%s is used by no row of the catalogue", name)
		}
	}
	for name := range used {
		if _, err := fs.Stat(scripts.Guest(), name); err != nil {
			t.Errorf("%v", err)
		}
	}
}

// The scripts and the table of sources name the same addresses and keys.
func TestSourcesAreThoseOfTheTable(t *testing.T) {
	all := ""
	for _, text := range guestScripts(t) {
		all += withoutComments(text)
	}
	known := map[string]bool{}
	for _, s := range catalogue.All().Sources {
		known[s.URL] = true
		if !strings.Contains(all, ":-"+s.URL+"}") {
			continue
		}
		if s.Mirror == "" || !strings.Contains(all, "${PODIUM_MIRROR_"+strings.ToUpper(s.Mirror)+":-"+s.URL+"}") {
			t.Errorf("no mirror can stand for %s", s.URL)
		}
		if s.Key == nil {
			continue
		}
		variable := "PODIUM_KEY_" + strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
		if !regexp.MustCompile(`apt_key "[^"]*/` + regexp.QuoteMeta(path.Base(s.Key.Path)) + `" \S+ "\$\{` + variable + `:-\}"`).MatchString(all) {
			t.Errorf("no script fetches the key %s of %s and compares it with %s", s.Key.Path, s.Name, variable)
		}
	}
	for _, url := range regexp.MustCompile(`:-(https://[^}]+)\}`).FindAllStringSubmatch(all, -1) {
		if !known[url[1]] {
			t.Errorf("a script downloads from %s, which the table of sources does not know", url[1])
		}
	}
}

// names lists the variables that a script reads.
func names(text string) []string {
	found := regexp.MustCompile(`PODIUM_[A-Z_]+[A-Z]`).FindAllString(withoutComments(text), -1)
	slices.Sort(found)
	return slices.Compact(found)
}
