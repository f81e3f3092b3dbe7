package remote_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"podium/provision/remote"
)

func TestLines(t *testing.T) {
	long := strings.Repeat("x", 8<<10)
	tests := map[string]struct {
		writes []string
		want   []string
	}{
		"none":               {nil, nil},
		"lines":              {[]string{"a\nb\n"}, []string{"a", "b"}},
		"empty line":         {[]string{"a\n\nb\n"}, []string{"a", "", "b"}},
		"no end":             {[]string{"a\nb"}, []string{"a", "b"}},
		"split":              {[]string{"a", "b", "\n", "c"}, []string{"ab", "c"}},
		"windows ends":       {[]string{"a\r\nb\r", "\nc"}, []string{"a", "b", "c"}},
		"progress":           {[]string{"10%\r50%", "\r100%\ndone\n"}, []string{"100%", "done"}},
		"progress, no end":   {[]string{"10%\r50%\r"}, []string{"50%"}},
		"invalid UTF-8":      {[]string{"a\xffb\n"}, []string{"a\uFFFDb"}},
		"split character":    {[]string{"\xed\x95", "\x9c\n"}, []string{"한"}},
		"full":               {[]string{long + "\n"}, []string{long}},
		"too long":           {[]string{long + "y", "yy\nshort\n"}, []string{long + " [cut]", "short"}},
		"too long, no end":   {[]string{long + "y"}, []string{long + " [cut]"}},
		"cut in a character": {[]string{long[1:] + "한\n"}, []string{long[1:] + " [cut]"}},
		"long, overwritten":  {[]string{long + "y\rshort\n"}, []string{"short"}},
	}
	for name, test := range tests {
		var got []string
		w := remote.Lines(func(line string) { got = append(got, line) })
		for _, s := range test.writes {
			if n, err := w.Write([]byte(s)); n != len(s) || err != nil {
				t.Errorf("%s: wrote %d, %v", name, n, err)
			}
		}
		_ = w.Close()
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %.60q, want %.60q", name, got, test.want)
		}
	}
}

// FuzzLines splits the same bytes in two ways; the lines must be the same, valid and bounded.
func FuzzLines(f *testing.F) {
	f.Add("a\nb\r\nc\rd", 3)
	f.Add("한글\xff\n", 1)
	f.Fuzz(func(t *testing.T, s string, step int) {
		if step <= 0 {
			return
		}
		split := func(step int) (all []string) {
			w := remote.Lines(func(line string) { all = append(all, line) })
			for i := 0; i < len(s); i += step {
				_, _ = w.Write([]byte(s[i:min(len(s), i+step)]))
			}
			_ = w.Close()
			return all
		}
		whole, parts := split(len(s)+1), split(step)
		if !slices.Equal(whole, parts) {
			t.Errorf("whole %q, in parts %q", whole, parts)
		}
		for _, line := range whole {
			if !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n") || len(line) > 3*(8<<10)+10 {
				t.Errorf("line %.80q", line)
			}
		}
	})
}
