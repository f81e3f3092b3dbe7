package state

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// What is blotted out of a log goes from its older generation too, and what is written later stands at the end.
func TestLogEdit(t *testing.T) {
	d := open(t)
	if err := d.makeDir(); err != nil {
		t.Fatal(err)
	}
	l, err := newLog(d.files, "log", 300)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		fmt.Fprintf(l, "line %d has hunter22\n", i)
	}
	hide := strings.NewReplacer("hunter22", "[secret]").Replace
	for range 2 {
		if err := l.Edit(hide); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintln(l, "after")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Edit(hide); err == nil {
		t.Error("a closed log was edited")
	}
	for name, end := range map[string]string{"log": "line 19 has [secret]\nafter\n", "log.1": "has [secret]\n"} {
		text, err := os.ReadFile(d.Path(name))
		if err != nil || strings.Contains(string(text), "hunter22") || !strings.HasSuffix(string(text), end) || strings.Contains(string(text), "\x00") {
			t.Errorf("%s, %v:\n%s", name, err, text)
		}
	}
}
