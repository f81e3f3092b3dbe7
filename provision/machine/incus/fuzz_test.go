package incus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"podium/provision/machine"
)

// What is remembered of a lab is read, or the file is named.
func FuzzRemembered(f *testing.F) {
	f.Add([]byte(`{"lab":"k8s","owner":"ann@pc:/labs","remote":"local","project":"default","host":""}`))
	f.Add([]byte(`{"lab":1}`))
	dir := filepath.Join(f.TempDir(), ".podium")
	if err := os.Mkdir(dir, 0o700); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p := &Provider{dir: dir}
		if err := os.WriteFile(filepath.Join(dir, rememberedFile), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := p.remembered(); err != nil && !strings.Contains(err.Error(), rememberedFile) {
			t.Errorf("the error does not name the file: %v", err)
		}
	})
}

// An instance is what the server says, which may be any server.
func FuzzInstance(f *testing.F) {
	f.Add(`{"name":"k8s-cp","type":"container","status":"Running","location":"none","config":{"user.podium.lab":"k8s"},"devices":{"eth0":{"network":"n"}}}`)
	f.Add(`{"devices":{"eth0":null}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var i instance
		if unmarshal(text, &i) != nil {
			return
		}
		if is := i.state(); (is == machine.Running) != (i.Status == "Running" || i.Status == "Ready") {
			t.Errorf("status %q is taken for %s", i.Status, is)
		}
		if port := proxyPort(i.Name); port < 1024 || port > 65535 {
			t.Errorf("instance %q gets port %d", i.Name, port)
		}
		if strings.Contains(strings.TrimPrefix(path(i, ""), "/1.0/instances/"), "/") {
			t.Errorf("instance %q leads to %s", i.Name, path(i, ""))
		}
	})
}
