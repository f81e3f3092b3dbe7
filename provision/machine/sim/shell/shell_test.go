package shell_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"podium/provision/machine/sim/command"
	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/shell"
	"podium/provision/machine/sim/vfs"
)

// world is a machine with a shell and the ordinary commands.
func world(t testing.TB) *guest.Kernel {
	t.Helper()
	programs := command.Programs()
	cache := &shell.Cache{}
	programs["bash"], programs["sh"] = shell.Bash(cache), shell.Sh(cache)
	fs := vfs.New(time.Now)
	root := vfs.Root()
	for _, dir := range []string{"/usr/bin", "/etc", "/tmp", "/data", "/dev", "/root"} {
		if err := fs.MkdirAll(root, dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"/bin": "usr/bin"} {
		if err := fs.Symlink(root, to, link); err != nil {
			t.Fatal(err)
		}
	}
	for name := range programs {
		if err := fs.WriteFile(vfs.Cred{}, "/usr/bin/"+name, guest.Executable(name, ""), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := fs.WriteFile(root, "/etc/passwd", "root:x:0:0::/root:/bin/bash\n", 0o644); err != nil {
		t.Fatal(err)
	}
	if err := fs.WriteFile(root, "/etc/hostname", "n1\n", 0o644); err != nil {
		t.Fatal(err)
	}
	m := &guest.Machine{Name: "n1", FS: fs, Programs: programs, Now: time.Now, Log: hclog.NewNullLogger(), Hardware: guest.Hardware{CPUs: 2, Arch: "amd64"}}
	k, err := m.Boot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Halt)
	return k
}

type result struct {
	out, err string
	code     int
}

// simulated runs a script in the simulated bash, in /data.
func simulated(t testing.TB, k *guest.Kernel, stdin string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	p, err := k.Start(guest.Spec{
		Args: args, Dir: "/data", Cred: vfs.Root(), Env: []string{"PATH=/usr/bin:/bin", "HOME=/root", "LC_ALL=C"},
		Files: map[int]guest.File{0: guest.Text(stdin), 1: guest.Stream{W: &out}, 2: guest.Stream{W: &errs}},
		Run:   func(ctx context.Context, p *guest.Process) int { return p.Exec(ctx, args) },
	})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.Done():
	case <-time.After(20 * time.Second):
		t.Fatalf("does not end: %q", args)
	}
	return result{out.String(), errs.String(), p.Status()}
}

// real runs a script in the real bash, in a directory of its own.
func real(t testing.TB, stdin, script string) result {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("skipped: needs bash: apt-get install bash")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, bash, "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/root", "LC_ALL=C"}
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	code := cmd.ProcessState.ExitCode()
	if err != nil && code < 0 {
		code = 128 + 9
	}
	return result{out.String(), errs.String(), code}
}

// TestLikeBash runs every script of testdata in the real bash and in the simulated one: output and exit code are the
// same. Scripts are separated by lines of "---".
func TestLikeBash(t *testing.T) {
	files, err := filepath.Glob("testdata/*.sh")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, script := range strings.Split(string(text), "\n---\n") {
			name := filepath.Base(file) + "/" + strings.SplitN(strings.TrimSpace(script), "\n", 2)[0]
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				const stdin = "one\ntwo three\nfour\n"
				want := real(t, stdin, script)
				got := simulated(t, world(t), stdin, "bash", "-c", script)
				if got.out != want.out || got.code != want.code {
					t.Errorf("script:\n%s\nbash:      code %d\n%s\nsimulated: code %d\n%s\nbash's errors:      %s\nsimulated errors: %s", script, want.code, want.out, got.code, got.out, want.err, got.err)
				}
			})
		}
	}
}
