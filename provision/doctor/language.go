package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// language is all that the doctor says in one language. Each has a file of its own; {1} to {9} stand for values.
type language struct {
	code       string // as in a locale: en
	severities map[Severity]string
	findings   map[string]wording

	blocked string // {1} findings block, of {2}
	ready   string // nothing stands in the way of lab {1}, which command {2} makes
	fine    string // nothing stands in the way, and no lab was named
	nothing string // provider {1} needs nothing that the doctor knows
}

// languages are those that the doctor speaks; the first is spoken where no other was asked for.
func languages() []language { return []language{english(), korean()} }

// Languages lists their codes.
func Languages() []string {
	var codes []string
	for _, l := range languages() {
		codes = append(codes, l.code)
	}
	return codes
}

// in is the language of that code, else the first.
func in(code string) language {
	all := languages()
	if i := slices.IndexFunc(all, func(l language) bool { return l.code == code }); i >= 0 {
		return all[i]
	}
	return all[0]
}

// Language chooses the language of findings: what was asked for, else the locale by POSIX's order of variables, else the
// system's own, which may be empty.
func Language(asked string, getenv func(string) string, system string) (string, error) {
	known := Languages()
	if asked != "" {
		if !slices.Contains(known, asked) {
			return "", fmt.Errorf("language %q: write %s", asked, strings.Join(known, " or "))
		}
		return asked, nil
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := getenv(name); value != "" {
			system = value
			break
		}
	}
	for _, code := range known {
		if strings.HasPrefix(strings.ToLower(system), code) {
			return code, nil
		}
	}
	return known[0], nil
}

// fill puts values into a text's places.
func fill(text string, values ...any) string {
	for i, v := range values {
		text = strings.ReplaceAll(text, fmt.Sprintf("{%d}", i+1), fmt.Sprint(v))
	}
	return text
}

// In is the severity as a word of a language.
func (s Severity) In(code string) string { return in(code).severities[s] }

// Verdict is the last line of a report: whether the lab can be made. up is the command that makes it.
func Verdict(findings []Finding, need Need, up, code string) string {
	l := in(code)
	if blocking := len(Blocking(findings)); blocking > 0 {
		return fill(l.blocked, blocking, len(findings))
	}
	if len(need.Machines) > 0 {
		return fill(l.ready, need.Lab.Name, up)
	}
	return l.fine
}

// NothingToCheck says that labs of a provider need neither VirtualBox nor Vagrant.
func NothingToCheck(provider, code string) string { return fill(in(code).nothing, provider) }
