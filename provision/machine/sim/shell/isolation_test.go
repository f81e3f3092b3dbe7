package shell_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHostIsOutOfReach runs what would show that a script gets at the computer the simulator runs on.
func TestHostIsOutOfReach(t *testing.T) {
	host := t.TempDir()
	canary := filepath.Join(host, "canary")
	inScript := filepath.ToSlash // what bash takes backslashes for
	if err := os.WriteFile(canary, []byte("echo the host was read\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PODIUM_CANARY", "the host's environment")
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ about, script, out, errs string }{
		{"read a file", `cat %[1]s; echo $?`, "1\n", "No such file"},
		{"redirect from a file", `cat <%[1]s; echo $?`, "1\n", "No such file"},
		{"read it by substitution", `x=$(<%[1]s); echo "[$x]"`, "[]\n", "No such file"},
		{"read it by mapfile and read", `mapfile a <%[1]s; read b <%[1]s; echo "[${a-}${b-}]"`, "[]\n", "No such file"},
		{"source it", `. %[1]s; echo $?`, "1\n", "No such file"},
		{"source it by name", `PATH=%[2]s; source canary; builtin echo $?`, "1\n", "No such file"},
		{"run it", `%[1]s; echo $?`, "127\n", "No such file"},
		{"run it by name", `PATH=%[2]s:$PATH canary; echo $?`, "127\n", "command not found"},
		{"exec it", `(exec %[1]s); echo $?`, "127\n", "No such file"},
		{"find it by command", `PATH=%[2]s:$PATH; command -v canary; hash canary; echo done`, "done\n", ""},
		{"test it", `[ -e %[1]s ] || echo a; [[ -f %[1]s ]] || echo b; test -x %[1]s || echo c; [ -d %[2]s ] || echo d; [[ %[1]s -nt /etc/passwd ]] || echo e`, "a\nb\nc\nd\ne\n", ""},
		{"match it", `echo %[2]s/*; cd %[2]s; echo $?`, "%[2]s/*\n1\n", "No such file"},
		{"go there and back", `cd %[2]s 2>/dev/null || cd /; pwd -P; echo ~+; dirs 2>/dev/null; true`, "/\n/\n", ""},
		{"write a file", `mkdir -p %[2]s; echo written >%[2]s/new && cat %[2]s/new; echo more >>%[1]s; cat %[1]s`, "written\nmore\n", ""},
		{"take a program that the host has", `go version; echo $?; command -v go gofmt; echo $?`, "127\n1\n", "go: command not found"},
		{"take a program whose package is missing", `command -v python3; command -v git; python3 -c 1; echo $?`, "127\n", "python3: command not found"},
		{"ask for the environment", `echo "[${PODIUM_CANARY-}]"; env | grep -c CANARY`, "[]\n0\n", ""},
		{"ask for names", `echo "$HOSTNAME"; hostname`, "n1\nn1\n", ""},
		{"ask for a home", `echo ~nobodyhere ~root`, "~nobodyhere /root\n", ""},
		{"ask for a temporary file", `TMPDIR=%[2]s mktemp; echo $?`, "1\n", "No such file"},
		{"process substitution", `cat <(echo a) | tee >(cat >/data/b) >/dev/null; sleep 0.1; cat /data/b`, "a\n", ""},
		{"signal a process of the host", `kill -0 %[3]d; echo $?; kill -0 1; echo $?`, "1\n1\n", "No such process"},
	} {
		t.Run(tt.about, func(t *testing.T) {
			got := simulated(t, world(t), "", "bash", "-c", fmt.Sprintf(tt.script+"\n: %[1]s %[2]s %[3]d", inScript(canary), inScript(host), os.Getpid()))
			want := strings.ReplaceAll(tt.out, "%[2]s", inScript(host))
			if got.out != want {
				t.Errorf("got  %q\nwant %q\n%s", got.out, want, got.err)
			}
			if tt.errs != "" && !strings.Contains(got.err, tt.errs) {
				t.Errorf("errors %q, want %q in them", got.err, tt.errs)
			}
			for _, leak := range []string{"the host was read", "the host's environment", name + "\n"} {
				if strings.Contains(got.out, leak) && name != "n1" {
					t.Errorf("the host shows: %q", got.out)
				}
			}
		})
	}
	entries, err := os.ReadDir(host)
	if err != nil || len(entries) != 1 {
		t.Errorf("the host's directory was changed: %v, %v", entries, err)
	}
	if text, _ := os.ReadFile(canary); string(text) != "echo the host was read\n" {
		t.Errorf("the host's file was changed: %q", text)
	}
}
