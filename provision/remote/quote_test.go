package remote_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"podium/provision/remote"
)

func TestQuote(t *testing.T) {
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"ls", "-l", "/var/lib"}, "ls -l /var/lib"},
		{[]string{"echo", ""}, "echo ''"},
		{[]string{"echo", "a b", "$x", "`id`", "a;b", "*"}, "echo 'a b' '$x' '`id`' 'a;b' '*'"},
		{[]string{"echo", "it's"}, `echo 'it'\''s'`},
		{[]string{"grep", "--color=auto"}, "grep --color=auto"},
		{[]string{"A=1", "B=2"}, "'A=1' B=2"},
		{[]string{"if", "if"}, "'if' if"},
		{[]string{"echo", "~", "=ls", "#no", "{a,b}", "!"}, "echo '~' '=ls' '#no' '{a,b}' '!'"},
		{[]string{"echo", "한글", "a\nb"}, "echo '한글' 'a\nb'"},
		{nil, ""},
	}
	for _, test := range tests {
		if got := remote.Quote(test.args...); got != test.want {
			t.Errorf("Quote(%q) = %s, want %s", test.args, got, test.want)
		}
	}
}

// FuzzQuote has a real shell and a shell parser split quoted words again.
func FuzzQuote(f *testing.F) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		f.Skip("skipped: needs a POSIX shell")
	}
	for _, s := range []string{"", "a", "it's", "a b|c", "\\", "'", "''", "\n", "\t", "$(id)", "-n", "~", "=x", "!", "\x01\xff", "한글", "#", "if"} {
		f.Add(s, s+"x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.ContainsRune(a+b, 0) {
			return // no argument holds one
		}
		args := []string{"printf", `%s\0`, a, b}
		line := remote.Quote(args...)
		out, err := exec.Command(sh, "-c", line).Output()
		if err != nil || string(out) != a+"\x00"+b+"\x00" {
			t.Errorf("sh -c %q printed %q, %v", line, out, err)
		}
		// As the first word, too: no assignment, no reserved word.
		if out, err := exec.Command(sh, "-c", "set -- "+remote.Quote(a)+`; printf %s "$1"`).Output(); err != nil || string(out) != a {
			t.Errorf("first word %q came as %q, %v", a, out, err)
		}
		if !strings.ContainsRune(a+b, '\r') && utf8.ValidString(a) && utf8.ValidString(b) { // the parser reads text
			first := remote.Quote(a, b)
			if got := fields(t, first); !slices.Equal(got, []string{a, b}) {
				t.Errorf("%q parsed as %q", first, got)
			}
		}
	})
}

func fields(t *testing.T, line string) []string {
	file, err := syntax.NewParser().Parse(strings.NewReader(line), "")
	if err != nil || len(file.Stmts) != 1 {
		t.Fatalf("%q: %v", line, err)
	}
	call, ok := file.Stmts[0].Cmd.(*syntax.CallExpr)
	if !ok || len(call.Assigns) > 0 {
		t.Fatalf("%q is not a plain command", line)
	}
	words, err := expand.Fields(&expand.Config{}, call.Args...)
	if err != nil {
		t.Fatal(err)
	}
	return words
}
