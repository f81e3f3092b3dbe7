package service

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/network"
)

// java knows its version, and runs one tool: the installer of Jenkins's plugins.
func java(ctx context.Context, p *guest.Process) int {
	args := p.Args[1:]
	for len(args) > 0 && (strings.HasPrefix(args[0], "-D") || strings.HasPrefix(args[0], "@")) {
		args = args[1:]
	}
	if len(args) > 0 && strings.TrimLeft(args[0], "-") == "version" {
		p.Errorf("openjdk version \"%s\" (simulated)", strings.Split(p.Version, "+")[0])
		return 0
	}
	if len(args) > 1 && args[0] == "-jar" && strings.HasPrefix(path.Base(args[1]), "jenkins-plugin-manager-") {
		return pluginManager(ctx, p, args[1], args[2:])
	}
	return p.Fail(1, "the simulator's model can only tell its version and install Jenkins's plugins")
}

// pluginManager puts a file for each plugin that is wanted into a folder, and for one that they need.
func pluginManager(ctx context.Context, p *guest.Process, jar string, args []string) int {
	if _, err := p.FS().ReadFile(p.Cred, jar); err != nil {
		return p.Fail(1, "Unable to access jarfile %s", jar)
	}
	values, wanted := map[string]string{}, []string(nil)
	for i := 0; i < len(args); i++ {
		name := strings.TrimLeft(args[i], "-")
		if name == "plugins" {
			wanted = args[i+1:]
			break
		}
		if i+1 == len(args) {
			return p.Fail(1, "option %s needs a value", args[i])
		}
		i++
		values[name] = args[i]
	}
	folder := values["plugin-download-directory"]
	if _, err := p.FS().ReadFile(p.Cred, values["war"]); err != nil || folder == "" || len(wanted) == 0 {
		return p.Fail(1, "the simulator's model wants --war, --plugin-download-directory and --plugins")
	}
	r, err := network.Get(ctx, p.Machine(), values["jenkins-update-center"])
	if err == nil && r.Code != 200 {
		err = fmt.Errorf("HTTP status %d", r.Code)
	}
	if err != nil {
		p.Errorf("Unable to retrieve JSON from %s: %v", values["jenkins-update-center"], err)
		return 1
	}
	if err := p.FS().MkdirAll(p.Cred, folder, 0o755); err != nil {
		return p.Fail(1, "%s: %s", folder, guest.Reason(err))
	}
	for _, name := range append(wanted, "structs") {
		if err := p.FS().WriteFile(p.Cred, folder+"/"+name+".jpi", "simulated\n", 0o644); err != nil {
			return p.Fail(1, "%s: %s", name, guest.Reason(err))
		}
	}
	p.Print("Done\n")
	return 0
}

// jenkins needs Java 21 or later, has an account admin, and shows a login page.
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
	password, err := firstPassword(p, home)
	if err != nil {
		p.Errorf("jenkins: %v", err)
		return 1
	}
	_, err = fs.Stat(p.Cred, home+"/plugins/prometheus.jpi")
	return serve(ctx, p, n, jenkinsPages(p.Version, password, err == nil))
}

// firstPassword is that of the account admin: configuration as code gives it, or the setup wizard makes it up.
func firstPassword(p *guest.Process, home string) (string, error) {
	fs := p.FS()
	if strings.Contains(p.Getenv("JAVA_OPTS"), "-Djenkins.install.runSetupWizard=false") {
		return configuredPassword(p, home)
	}
	secret := home + "/secrets/initialAdminPassword"
	_, made := fs.Stat(p.Cred, secret)
	_, done := fs.Stat(p.Cred, home+"/jenkins.install.InstallUtil.lastExecVersion")
	if made != nil && done != nil {
		b := make([]byte, 16)
		rand.Read(b) //nolint:errcheck // never fails
		if err := fs.WriteFile(p.Cred, secret, hex.EncodeToString(b)+"\n", 0o640); err != nil {
			return "", errors.New(guest.Reason(err))
		}
	}
	text, err := fs.ReadFile(p.Cred, secret)
	return strings.TrimSpace(text), err
}

// configuredPassword reads what the plugin configuration-as-code would; empty: nobody is asked for one.
func configuredPassword(p *guest.Process, home string) (string, error) {
	fs, file := p.FS(), p.Getenv("CASC_JENKINS_CONFIG")
	if _, err := fs.Stat(p.Cred, home+"/plugins/configuration-as-code.jpi"); err != nil || file == "" {
		return "", nil
	}
	text, err := fs.ReadFile(p.Cred, file)
	if err != nil {
		return "", fmt.Errorf("%s: %s", file, guest.Reason(err))
	}
	var casc struct {
		Jenkins struct {
			Message   string `yaml:"systemMessage"`
			Executors int    `yaml:"numExecutors"`
			Mode      string `yaml:"mode"`
			Realm     struct {
				Local struct {
					Signup bool                            `yaml:"allowsSignup"`
					Users  []struct{ ID, Password string } `yaml:"users"`
				} `yaml:"local"`
			} `yaml:"securityRealm"`
			Strategy map[string]struct {
				Anonymous bool `yaml:"allowAnonymousRead"`
			} `yaml:"authorizationStrategy"`
		} `yaml:"jenkins"`
		Unclassified map[string]any `yaml:"unclassified"`
	}
	if err := strict(text, &casc); err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	for _, u := range casc.Jenkins.Realm.Local.Users {
		if u.ID != "admin" {
			continue
		}
		m := readFile.FindStringSubmatch(u.Password)
		if m == nil {
			return u.Password, nil
		}
		secret, err := fs.ReadFile(p.Cred, m[1])
		if err != nil {
			return "", fmt.Errorf("%s: %s", m[1], guest.Reason(err))
		}
		return strings.TrimSpace(secret), nil
	}
	return "", nil
}

// readFile is how a value is taken from a file.
var readFile = regexp.MustCompile(`^\$\{trim:\$\{readFile:([^}]+)\}\}$`)

// jenkinsPages are Jenkins's; measured says whether it shows its measurements, which it does to everybody.
func jenkinsPages(version, password string, measured bool) guest.Handler {
	admin := "Basic " + base64.StdEncoding.EncodeToString([]byte("admin:"+password))
	return guest.HandlerFunc(func(_ context.Context, r guest.Request) guest.Response {
		header := map[string]string{"X-Jenkins": version}
		switch {
		case strings.HasPrefix(r.Path, "/login"):
			return guest.Response{Code: 200, Header: header, Body: "<title>Sign in [Jenkins] (simulated)</title>\n"}
		case measured && r.Path == "/prometheus/":
			return guest.Response{Code: 200, Header: header, Body: "# simulated\njenkins_executor_count_value 2\n"}
		case password == "" || r.Header["Authorization"] == admin:
			return guest.Response{Code: 200, Header: header, Body: "{}\n"}
		}
		return guest.Response{Code: 403, Header: header, Body: "Authentication required\n"}
	})
}
