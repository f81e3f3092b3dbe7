package scripts_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const proxyVariables = `
PODIUM_HTTP_PROXY='http://DOMAIN%5Cuser:p%40ss%25%3Aw@proxy.example:3128'
PODIUM_NO_PROXY='localhost,127.0.0.1,192.168.56.0/24,10.0.0.0/8,172.16.0.0/12,.school.example,mirror,10.0.0.2'
`

// A % in a proxy's address reaches the service as it stands, and no other account of the machine reads the password.
func TestServiceProxy(t *testing.T) {
	root := t.TempDir()
	text := proxyVariables + "systemd=" + root + `
service_proxy docker
stat -c '%a %n' "$systemd"/docker.service.d/*
cat "$systemd/docker.service.d/podium-proxy.env"
`
	library, err := os.ReadFile(filepath.Join("guest", "lib", "proxy.sh"))
	if err != nil {
		t.Fatal(err)
	}
	moved := strings.ReplaceAll(string(library), "/etc/systemd/system", root)
	stdout, stderr, err := runGuest(t, t.TempDir(), moved+text, "step.sh")
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	folder := root + "/docker.service.d/"
	for _, want := range []string{
		"600 " + folder + "podium-proxy.env\n", "644 " + folder + "podium-proxy.conf\n",
		`HTTP_PROXY="http://DOMAIN%5Cuser:p%40ss%25%3Aw@proxy.example:3128"` + "\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	verifyUnit(t, root, "docker.service")
}

// verifyUnit has systemd itself read a unit with its drop-ins.
func verifyUnit(t *testing.T, folder, unit string) {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("skipped: needs systemd-analyze: apt-get install systemd")
	}
	file := filepath.Join(folder, unit)
	if err := os.WriteFile(file, []byte("[Service]\nExecStart=/bin/true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("systemd-analyze", "verify", "--man=no", file)
	c.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+folder+":")
	out, err := c.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, folder) || strings.Contains(line, "specifiers") {
			t.Errorf("systemd says: %s", line)
		}
	}
	if err != nil && strings.Contains(string(out), unit) {
		t.Errorf("%v\n%s", err, out)
	}
}

// What a script writes into a unit by itself holds no % that systemd would take for its own.
func TestUnitsHoldNoAddresses(t *testing.T) {
	for name, text := range guestScripts(t) {
		for line := range strings.Lines(withoutComments(text)) {
			if strings.Contains(line, "Environment=") && strings.Contains(line, "PROXY") {
				t.Errorf("%s: an address may hold %% and a password: use EnvironmentFile=: %s", name, strings.TrimSpace(line))
			}
		}
	}
}

func TestJavaProxy(t *testing.T) {
	for name, test := range map[string]struct{ variables, want string }{
		"none": {"", ""},
		"with a password": {proxyVariables + "PODIUM_HTTPS_PROXY=https://u%22@[fd00::1]", `"-Dhttp.proxyUser=DOMAIN\\user"
"-Dhttp.proxyPassword=p@ss%:w"
"-Dhttp.proxyHost=proxy.example"
"-Dhttp.proxyPort=3128"
"-Dhttps.proxyUser=u\""
"-Dhttps.proxyPassword="
"-Dhttps.proxyHost=fd00::1"
"-Dhttps.proxyPort=443"
"-Dhttp.nonProxyHosts=localhost|127.*|192.168.56.*|10.*|*.school.example|mirror|*.mirror|10.0.0.2"
"-Djdk.http.auth.tunneling.disabledSchemes="
`},
		"without a port": {"PODIUM_HTTP_PROXY=http://proxy.example/", `"-Dhttp.proxyHost=proxy.example"
"-Dhttp.proxyPort=80"
"-Dhttps.proxyHost=proxy.example"
"-Dhttps.proxyPort=80"
"-Dhttp.nonProxyHosts=localhost|127.*"
"-Djdk.http.auth.tunneling.disabledSchemes="
`},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, err := runGuest(t, t.TempDir(), test.variables+"\njava_proxy", "step.sh", "proxy.sh")
			if err != nil || stdout != test.want {
				t.Errorf("%v\n%s\ngot:\n%s\nwant:\n%s", err, stderr, stdout, test.want)
			}
		})
	}
}

// baseFunctions are the functions of base.sh, with the folders of the machine in root.
func baseFunctions(t *testing.T, root string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("guest", "base.sh"))
	if err != nil {
		t.Fatal(err)
	}
	_, functions, _ := strings.Cut(string(text), "# The private card")
	functions, _, found := strings.Cut(functions, "\nfind_card\n")
	if !found {
		t.Fatal("base.sh has changed: its functions were not found")
	}
	return "#" + strings.NewReplacer("/etc/apt", root+"/apt", "/etc/profile.d", root+"/profile.d").Replace(functions)
}

func TestProxyFilesOfAMachine(t *testing.T) {
	for name, test := range map[string]struct{ variables, mode string }{
		"with a password":    {proxyVariables, "600"},
		"without a password": {"PODIUM_HTTP_PROXY=http://proxy.example:3128\nPODIUM_NO_PROXY=mirror,10.0.0.2,10.0.0.0/8", "644"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			text := baseFunctions(t, root) + test.variables + `
PODIUM_USER=$(id -un)
mkdir -p ` + root + `/apt/apt.conf.d
configure_proxy
chmod 0644 ` + root + `/*/*proxy* ` + root + `/*/*/*proxy*
configure_proxy
stat -c %a ` + root + `/apt/apt.conf.d/91podium-proxy ` + root + `/profile.d/podium-proxy.sh
. ` + root + `/profile.d/podium-proxy.sh
[[ $https_proxy == "$PODIUM_HTTP_PROXY" ]]
cat ` + root + `/apt/apt.conf.d/91podium-proxy
`
			stdout, stderr, err := runGuest(t, t.TempDir(), text, "step.sh")
			if err != nil {
				t.Fatalf("%v\n%s", err, stderr)
			}
			if !strings.Contains(stdout, test.mode+"\n"+test.mode+"\n") {
				t.Errorf("the modes are not %s:\n%s", test.mode, stdout)
			}
			for _, want := range []string{`Acquire::http::Proxy::10.0.0.2 "DIRECT";`, `Acquire::https::Proxy::mirror "DIRECT";`} {
				if !strings.Contains(stdout, want) {
					t.Errorf("no %q in\n%s", want, stdout)
				}
			}
			if _, err := exec.LookPath("apt-config"); err != nil {
				t.Skip("skipped: needs apt-config: apt-get install apt")
			}
			dump := exec.Command("apt-config", "dump", "-c", filepath.Join(root, "apt/apt.conf.d/91podium-proxy"), "Acquire::http::Proxy")
			if out, err := dump.CombinedOutput(); err != nil || !strings.Contains(string(out), `Acquire::http::Proxy::10.0.0.2 "DIRECT"`) {
				t.Errorf("apt reads something else: %v\n%s", err, out)
			}
		})
	}
}
