package incus

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"podium/provision/lab"
	"podium/provision/machine"
)

// answer is what the stand-in for the client says to calls whose arguments contain Call.
type answer struct {
	Call   string `json:"call"`
	Stdout string `json:"stdout"`
	Stderr string `json:"stderr"`
	Code   int    `json:"code"`
	First  int    `json:"first"` // only the first so many such calls; 0: all
}

// fakeScript is the environment variable that turns this test program into the stand-in.
const fakeScript = "PODIUM_FAKE_INCUS"

func TestMain(m *testing.M) {
	if folder := os.Getenv(fakeScript); folder != "" {
		os.Exit(fakeIncus(folder, strings.Join(os.Args[1:], " ")))
	}
	os.Exit(m.Run())
}

// fakeIncus notes the call and answers with the first line of the script that fits.
func fakeIncus(folder, call string) int {
	log, err := os.OpenFile(filepath.Join(folder, "calls"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(log, call)
	}
	calls, err3 := os.ReadFile(filepath.Join(folder, "calls"))
	text, err2 := os.ReadFile(filepath.Join(folder, "script.json"))
	var script []answer
	if err2 == nil {
		err2 = json.Unmarshal(text, &script)
	}
	if err := errors.Join(err, err2, err3); err != nil {
		fmt.Fprintln(os.Stderr, "fake incus:", err)
		return 99
	}
	for _, a := range script {
		if strings.Contains(call, a.Call) && (a.First == 0 || strings.Count(string(calls), a.Call) <= a.First) {
			fmt.Print(a.Stdout)
			fmt.Fprint(os.Stderr, a.Stderr)
			return a.Code
		}
	}
	fmt.Fprintln(os.Stderr, "fake incus: no answer for:", call)
	return 99
}

// healthy is what an Incus without any instance answers; recorded from Incus 6.0.4, shortened.
var healthy = []answer{
	{Call: "remote get-default", Stdout: "local\n"},
	{Call: "remote list", Stdout: `{"images":{"Addr":"https://images.linuxcontainers.org","Protocol":"simplestreams","Public":true},` +
		`"local":{"Addr":"unix://","Project":"","Protocol":"incus"},"away":{"Addr":"https://incus.example:8443","Project":"class","Protocol":"incus"}}`},
	{Call: ":/1.0?project", Stdout: `{"auth":"trusted","environment":{"server_clustered":false}}`},
	{Call: "/1.0/instances?recursion=1", Stdout: `[]`},
	{Call: "/1.0/operations?recursion=1", Stdout: ""}, // nothing for an empty object
	{Call: "/1.0/images/aliases/debian-12", Stdout: `{"name":"debian-12","target":"9001a0d5d0ba","type":"container"}`},
	{Call: "/1.0/profiles/default", Stdout: `{"devices":{"eth0":{"name":"eth0","network":"nodes","type":"nic"},"root":{"path":"/","pool":"pool1","type":"disk"}}}`},
	{Call: "/1.0/networks?recursion=1", Stdout: `[{"name":"nodes","type":"bridge","managed":true,"status":"Created","config":{"ipv4.address":"198.18.0.1/24"}},` +
		`{"name":"lo","type":"loopback","managed":false,"config":{}},{"name":"eth0","type":"physical","managed":false,"config":{}}]`},
	{Call: "/1.0/networks/eth0/state", Stdout: `{"addresses":[{"family":"inet","address":"192.0.2.2","netmask":"24"},{"family":"inet6","address":"fd00::2","netmask":"64"}]}`},
	{Call: "-X POST", Stdout: `{}`},
	{Call: "-X PATCH", Stdout: `{}`},
	{Call: "-X PUT", Stdout: `{}`},
	{Call: "-X DELETE", Stdout: `{}`},
	{Call: "/1.0/instances/k8s-basic-w1?", Stdout: `{"name":"k8s-basic-w1","type":"container","status":"Running","config":{"user.podium.host-keys":"ssh-ed25519 AAAA root@a\nssh-rsa BBBB root@a","user.podium.user":"vagrant","limits.cpu":"1","limits.memory":"2048MiB"},"devices":{"eth0":{"ipv4.address":"192.168.56.11"}}}`},
	{Call: "exec ", Stdout: "ssh-ed25519 AAAA root@a\nssh-rsa BBBB root@a\n"},
}

// with puts answers before the healthy ones.
func with(first ...answer) []answer { return append(first, healthy...) }

const fakeLab = `name: k8s-basic
provider: incus
network: 192.168.56.0/24
nodes:
  - {name: cp, roles: [control-plane], cpus: 2, memory: 3GiB}
  - {name: w, count: 2, roles: [worker], memory: 2GiB, disk: 10GiB}
  - {name: ops, roles: [docker]}
kubernetes: {version: "1.36"}
incus: {image: debian-12}
`

// fake gives a provider whose client is the stand-in, and a function that tells the calls made so far.
func fake(t *testing.T, text string, script []answer) (*Provider, machine.Spec, func() []string) {
	t.Helper()
	folder := t.TempDir()
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	encoded, err := json.Marshal(script)
	if err != nil {
		t.Fatal(err)
	}
	write("script.json", encoded)
	write("lab.yaml", []byte(text))
	t.Setenv(fakeScript, folder)
	t.Setenv("GORACE", "atexit_sleep_ms=0") // a program built with -race otherwise stays for a second
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	l, err := lab.Load(filepath.Join(folder, "lab.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(Options{Lab: l.Name, Dir: filepath.Join(folder, ".podium", "incus"), Folder: folder, Incus: l.Incus, Executable: program})
	if err != nil {
		t.Fatal(err)
	}
	p.cgroupV1 = false                         // whatever the computer of the test has
	p.place.Owner = "kim@laptop:/home/kim/lab" // golden files must not depend on who runs the test
	calls := func() []string {
		text, err := os.ReadFile(filepath.Join(folder, "calls"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(string(text)), "\n")
	}
	return p, machine.Spec{Lab: l, Machines: lab.Machines(l), PublicKey: "ssh-ed25519 KEY podium"}, calls
}
