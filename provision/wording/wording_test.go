package wording

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var place = regexp.MustCompile(`\{\d\}`)

// TestLanguagesSayTheSame: every language has every sentence, with the same values in it.
func TestLanguagesSayTheSame(t *testing.T) {
	en := english()
	for _, code := range Languages() {
		other := sentences(code)
		if len(other) != len(en) {
			t.Errorf("%s has %d sentences, en %d", code, len(other), len(en))
		}
		for id, text := range en {
			want, got := place.FindAllString(text, -1), place.FindAllString(other[id], -1)
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(slices.Compact(want), slices.Compact(got)) {
				t.Errorf("%s: %s: values %v, want %v", code, id, got, want)
			}
		}
	}
}

// TestEverySentenceIsSaid looks for each ID in the code, and for IDs in the code that are no sentence.
func TestEverySentenceIsSaid(t *testing.T) {
	var code strings.Builder
	for _, pattern := range []string{"../exercise/*.go", "../exercise/*/*.go", "../../cmd/podium/exercise*.go"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			code.Write(text)
		}
	}
	for _, id := range IDs() {
		if !strings.Contains(code.String(), `"`+id+`"`) && !strings.HasPrefix(id, "type-") && !strings.HasPrefix(id, "result-") {
			t.Errorf("%s is never said", id)
		}
	}
	for _, m := range regexp.MustCompile(`(?:\b[sS]ay|\bfails|\bbroken|\bBroken)\("([a-z-]+[a-z])"[,)]`).FindAllStringSubmatch(code.String(), -1) {
		if _, ok := english()[m[1]]; !ok {
			t.Errorf("%s is not a sentence", m[1])
		}
	}
}

func TestIn(t *testing.T) {
	s := Say("is", Say("mode-of", "/a"), strings.Repeat("long ", 60), "x")
	if got := s.In(English); !strings.HasPrefix(got, "the mode of /a is long long") || len(got) > 200 {
		t.Error(got)
	}
	if got := Say("file-missing", "{2}").In(English); got != "{2} does not exist" {
		t.Error(got)
	}
	if got := (Text{EN: "a"}).In(Korean); got != "" && got != "a" {
		t.Error(got)
	}
}
