package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"podium/provision/plan"
	"podium/provision/remote"
)

// A bundle is bash text that runner.sh evaluates on a node: scripts/guest/lib/bundle.sh and calls of what it defines.
// What it prints on standard output goes to parseReport, on standard error to the log.

// bundleEnd is the last line of every bundle; runner.sh refuses one without it.
const bundleEnd = "# end of bundle"

// stepBundle is the bundle of a task. secrets are the facts of its inputs: they are set for the script and written
// nowhere. What else the step needs stays on the node, so that a person can read it and run it again:
//
//	cd /var/lib/podium/scripts; . ./STEP.env; bash STEP.sh
func (s nodeScripts) stepBundle(t plan.Task, secrets map[string]string) (string, error) {
	b := s.newBundle()
	b.line("unclaim")
	for _, f := range t.Files {
		if !path.IsAbs(f.Path) {
			return "", fmt.Errorf("file %q: its path must be absolute", f.Path)
		}
		b.line("(umask 022 && mkdir -p -- %s)", remote.Quote(path.Dir(f.Path)))
		temp := remote.Quote(f.Path + ".podium")
		b.file(temp, f.Text)
		b.line("chmod %04o %s", f.Mode, temp)
		b.line("mv -f -- %s %s", temp, remote.Quote(f.Path))
	}
	env, err := exports(t.Vars)
	if err != nil {
		return "", err
	}
	hidden, err := exports(secrets)
	if err != nil {
		return "", err
	}
	b.file(`"$home/scripts/$step.env"`, env)
	b.file(`"$home/scripts/$step.sh"`, t.Script.Text)
	b.line("start_facts")
	b.line("trap give_secrets EXIT")
	b.line(`. "$home/scripts/$step.env"`)
	b.WriteString(hidden)
	b.line(`run_script "$home/scripts/$step.sh"`)
	if t.Probe.Text != "" {
		b.file(`"$home/scripts/$step.probe.sh"`, t.Probe.Text)
		b.line(`hold "$step" %d`, tries(t.Timeout))
	} else {
		b.line(`rm -f -- "$home/scripts/$step.probe.sh"`) // an earlier version of the step may have had one
	}
	b.line("claim %s %s %s", remote.Quote(t.Digest.Script), remote.Quote(t.Digest.Vars), remote.Quote(t.Digest.Files))
	return b.end(), nil
}

// tries is how often a check is run before the node gives up by itself: a little later than podium. They are a second
// apart, the first ones half a second.
func tries(limit time.Duration) int {
	if limit <= 0 {
		limit = time.Hour
	}
	return int(limit.Seconds()) + 30
}

// inputBundle is the bundle of a task's input. It leaves nothing on its node and prints facts only.
func (s nodeScripts) inputBundle(in plan.Input) (string, error) {
	env, err := exports(in.Vars)
	if err != nil {
		return "", err
	}
	b := s.newBundle()
	b.line(`script=$home/run/$step.sh`)
	b.line(`trap 'rm -f -- "$script" "$facts"' EXIT`)
	b.file(`"$script"`, in.Script.Text)
	b.line("start_facts")
	b.WriteString(env)
	b.line(`run_script "$script"`)
	b.line("give_facts")
	return b.end(), nil
}

// recoverBundle is the bundle that runs the checks that steps have left on a node, each until it holds.
func (s nodeScripts) recoverBundle(steps []string, limit time.Duration) string {
	b := s.newBundle()
	for _, step := range steps {
		name := remote.Quote(step)
		b.line(`if [[ -f $home/scripts/%s.probe.sh ]]; then`, name)
		b.line(`  (. "$home/scripts/"%s.env && hold %s %d "%s: ")`, name, name, tries(limit), step)
		b.line(`fi`)
	}
	return b.end()
}

func (s nodeScripts) newBundle() *bundle {
	b := &bundle{}
	b.WriteString(s.bundle)
	return b
}

// bundle grows a bundle's text.
type bundle struct{ strings.Builder }

func (b *bundle) line(format string, args ...any) {
	fmt.Fprintf(b, format, args...)
	b.WriteByte('\n')
}

// file writes text, with LF line ends, to the file that target stands for: a word of bash, quoted already.
func (b *bundle) file(target, text string) {
	text = lf(text)
	if text == "" || !strings.HasSuffix(text, "\n") { // a here-document cannot end without a line end
		b.line("printf %%s %s >%s", remote.Quote(text), target)
		return
	}
	mark := delimiter(text)
	b.line("cat >%s <<'%s'", target, mark)
	b.WriteString(text)
	b.line("%s", mark)
}

func (b *bundle) end() string {
	b.WriteString(bundleEnd)
	return b.String()
}

// variable is what bash takes for the name of a variable.
var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// exports is bash text that sets and exports variables, sorted by name.
func exports(vars map[string]string) (string, error) {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if !variable.MatchString(name) {
			return "", fmt.Errorf("variable %q: a name has letters, digits and underscores, and no digit first", name)
		}
		if strings.ContainsRune(vars[name], 0) {
			return "", fmt.Errorf("variable %s holds a NUL byte, which no environment can carry", name)
		}
		fmt.Fprintf(&b, "export %s=%s\n", name, remote.Quote(vars[name]))
	}
	return b.String(), nil
}

// delimiter ends a here-document of text: no line of text can be the same, short of breaking SHA-256.
func delimiter(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "PODIUM_" + hex.EncodeToString(sum[:8])
}

// lf turns the line ends of Windows into those of the nodes.
func lf(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }
