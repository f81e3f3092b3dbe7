package service

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
)

// java knows its version only.
func java(_ context.Context, p *guest.Process) int {
	if len(p.Args) > 1 && strings.TrimLeft(p.Args[1], "-") == "version" {
		p.Errorf("openjdk version \"%s\" (simulated)", strings.Split(p.Version, "+")[0])
		return 0
	}
	return p.Fail(1, "the simulator's model can only tell its version")
}

// jenkins needs Java 21 or later, makes its first password, and shows a login page.
func jenkins(ctx context.Context, p *guest.Process) int {
	for _, a := range p.Args[1:] {
		if a == "--version" {
			p.Print(p.Version + "\n")
			return 0
		}
	}
	path, ok := p.LookPath("java")
	if !ok {
		p.Errorf("jenkins: failed to find a valid Java installation")
		return 1
	}
	text, err := p.FS().ReadFile(p.Cred, path)
	if err != nil {
		return 1
	}
	_, v, _ := guest.ProgramOf(text)
	major, _, _ := strings.Cut(v, ".")
	if n, err := strconv.Atoi(major); err != nil || n < 21 {
		p.Errorf("Running with Java %s from %s, which is older than the minimum required version (Java 21).", major, path)
		return 1
	}
	n := 8080
	if v := p.Getenv("JENKINS_PORT"); v != "" {
		if n, err = strconv.Atoi(v); err != nil {
			p.Errorf("java.lang.NumberFormatException: For input string: %q", v)
			return 1
		}
	}
	home := p.Getenv("JENKINS_HOME")
	if home == "" {
		home = p.Dir
	}
	fs := p.FS()
	if err := fs.MkdirAll(p.Cred, home+"/secrets", 0o700); err != nil {
		p.Errorf("jenkins: unable to create the home directory %s: %s", home, guest.Reason(err))
		return 1
	}
	secret := home + "/secrets/initialAdminPassword"
	_, made := fs.Stat(p.Cred, secret)
	_, done := fs.Stat(p.Cred, home+"/jenkins.install.InstallUtil.lastExecVersion")
	if made != nil && done != nil {
		b := make([]byte, 16)
		rand.Read(b) //nolint:errcheck // never fails
		if err := fs.WriteFile(p.Cred, secret, hex.EncodeToString(b)+"\n", 0o640); err != nil {
			p.Errorf("jenkins: %s", guest.Reason(err))
			return 1
		}
	}
	return serve(ctx, p, n, guest.HandlerFunc(func(_ context.Context, r guest.Request) guest.Response {
		if strings.HasPrefix(r.Path, "/login") {
			return guest.Response{Code: 200, Header: map[string]string{"X-Jenkins": p.Version}, Body: "<title>Sign in [Jenkins] (simulated)</title>\n"}
		}
		return guest.Response{Code: 403, Header: map[string]string{"X-Jenkins": p.Version}, Body: "Authentication required\n"}
	}))
}
