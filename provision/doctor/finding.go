package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// Severity says how much a finding matters.
type Severity string

// How much a finding can matter.
const (
	Blocks  Severity = "blocks"  // the lab cannot work
	Warning Severity = "warning" // the lab may work badly, or not at all
	Note    Severity = "note"    // good to know
)

// Finding is something about this computer that a lab's user should know.
type Finding struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	Title    string   `json:"title"`   // what was found, with its values
	Meaning  string   `json:"meaning"` // what it does to the lab
	Fix      string   `json:"fix"`     // what to do about it on this system
}

// found is a finding before it is put into words: the values fill the title's places.
type found struct {
	id       string
	severity Severity
	values   []any
}

// wording are the words of a finding in one language. The title takes the finding's values; {1} to {9} in meaning and
// fix stand for them too.
type wording struct {
	title   string
	meaning string
	fix     string // where it is the same everywhere, or for systems that the others do not name
	linux   string
	mac     string
	windows string
}

// on is the fix for a system.
func (w wording) on(os string) string {
	special := map[string]string{"linux": w.linux, "darwin": w.mac, "windows": w.windows}[os]
	if special != "" {
		return special
	}
	return w.fix
}

// say puts a finding into words.
func (f found) say(os, language string) Finding {
	w, ok := words(language)[f.id]
	if !ok {
		w = words("en")[f.id]
	}
	fill := func(text string) string {
		for i, v := range f.values {
			text = strings.ReplaceAll(text, fmt.Sprintf("{%d}", i+1), fmt.Sprint(v))
		}
		return text
	}
	return Finding{ID: f.id, Severity: f.severity, Title: fill(w.title), Meaning: fill(w.meaning), Fix: fill(w.on(os))}
}

// words gives all wordings of a language.
func words(language string) map[string]wording {
	if language == "ko" {
		return korean()
	}
	return english()
}

// IDs lists the names of all findings, sorted.
func IDs() []string {
	var ids []string
	for id := range english() {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Blocking gives those findings that a lab cannot work with.
func Blocking(all []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(all), func(f Finding) bool { return f.Severity != Blocks })
}

// Language chooses the language of findings, en or ko: what was asked for, else the locale by POSIX's order of
// variables, else the system's own, which may be empty.
func Language(asked string, getenv func(string) string, system string) (string, error) {
	switch asked {
	case "en", "ko":
		return asked, nil
	case "":
	default:
		return "", fmt.Errorf("language %q: write en or ko", asked)
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := getenv(name); value != "" {
			system = value
			break
		}
	}
	if strings.HasPrefix(strings.ToLower(system), "ko") {
		return "ko", nil
	}
	return "en", nil
}
