package doctor

import (
	"slices"
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
func (f found) say(os, code string) Finding {
	w, ok := in(code).findings[f.id]
	if !ok {
		w = englishFindings()[f.id]
	}
	say := func(text string) string { return fill(text, f.values...) }
	return Finding{ID: f.id, Severity: f.severity, Title: say(w.title), Meaning: say(w.meaning), Fix: say(w.on(os))}
}

// IDs lists the names of all findings, sorted.
func IDs() []string {
	var ids []string
	for id := range englishFindings() {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Blocking gives those findings that a lab cannot work with.
func Blocking(all []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(all), func(f Finding) bool { return f.Severity != Blocks })
}
