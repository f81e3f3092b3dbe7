package report

import (
	"regexp"
	"strings"
	"testing"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain\ttext\n한국어":                             "plain\ttext\n한국어",
		"\x1b[31mred\x1b[0m \x1b[1;38:2:1:2:3mx\x1b[m": "\x1b[31mred\x1b[0m \x1b[1;38:2:1:2:3mx\x1b[m",
		"\x1b[2J\x1b[Hgone\x1b[1A\x1b[K":               "gone",
		"\x1b]0;title\x07text":                         "text",
		"\x1b]52;c;aGk=\x1b\\text":                     "text",
		"\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\":  "link",
		"\x1bP+q544e\x1b\\a\x1b_x\x1b\\b":              "ab",
		"\u009b2Ja\u009d0;title\u009cb":                "ab",
		"a\rb\bc\x00d\x7fe\x0ef":                       "abcdef",
		"to\u202egpj.exe":                              "togpj.exe",
		"ends within \x1b[31":                          "ends within ",
		"no UTF-8 \xff\xfe":                            "no UTF-8 \uFFFD",
		"\x1b[?25l\x1b[6n\x1bc\x1b(0x":                 "x",
		"\x1b[31;2J":                                   "",
	} {
		if got := Printable(in, true); got != want {
			t.Errorf("Printable(%q) = %q, want %q", in, got, want)
		}
	}
	if got := Printable("\x1b[31mred\x1b[0m", false); got != "red" {
		t.Errorf("without colours: %q", got)
	}
}

func FuzzPrintable(f *testing.F) {
	for _, text := range []string{"a", "\x1b[31mx", "\x1b]0;t\x07", "\u009b2J", "\x1b\x1b[m", "\x1b[\x1b[31m", "\x9b2J", "\r\n", "\x1bP\x1b\\", "\xc2"} {
		f.Add(text)
	}
	colors := regexp.MustCompile(`\x1b\[[0-9;:]*m`)
	f.Fuzz(func(t *testing.T, text string) {
		got := Printable(text, true)
		for _, r := range colors.ReplaceAllString(got, "") {
			if dangerous(r) {
				t.Fatalf("%q became %q, which holds %U", text, got, r)
			}
		}
		if again := Printable(got, true); again != got {
			t.Fatalf("%q became %q, and that %q", text, got, again)
		}
		if line := Clean(text); strings.ContainsAny(line, "\r\n\t\x1b") || line != Clean(line) {
			t.Fatalf("%q is the line %q", text, line)
		}
	})
}
