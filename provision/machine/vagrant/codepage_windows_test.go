package vagrant

import (
	"strings"
	"testing"
	"time"
)

func TestCodePage(t *testing.T) {
	const folder, utf8 = `C:\Users\홍길동\VirtualBox VMs`, "이더넷 3\r\n"
	for name, test := range map[string]struct{ out, want string }{
		"code page 949": {korean, folder},
		"UTF-8":         {folder, folder},
		"both":          {utf8 + korean + "\r\n" + utf8, utf8 + folder + "\r\n" + utf8},
		"nothing":       {"", ""},
	} {
		if got := fromPage([]byte(test.out), 949); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	if got := fromPage([]byte(korean), 64999); got != korean {
		t.Errorf("a page that Windows does not know: got %q", got)
	}
}

// TestCodePageOfPrograms: what programs say goes through it, line by line or whole.
func TestCodePageOfPrograms(t *testing.T) {
	p := hanging(t)
	p.env = []string{"PODIUM_PLAY=korean"}
	want := Text([]byte(korean))
	if want == korean {
		t.Skip("skipped: needs a Windows whose code page knows these bytes: set its region to Korea, for one")
	}
	out, err := p.run(t.Context(), time.Minute)
	if err != nil || strings.TrimSpace(out.stdout) != want {
		t.Errorf("got %q, %v, want %q", out.stdout, err, want)
	}
	vagrant := newTranscript(func(uiLine) {})
	if _, err := p.stream(t.Context(), time.Minute, vagrant, &tail{}); err != nil || strings.TrimSpace(vagrant.String()) != want {
		t.Errorf("line by line: got %q, %v, want %q", vagrant, err, want)
	}
}
