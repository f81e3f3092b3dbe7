package service

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// golden reads what a test of another package proves to be what nodes get.
func golden(t *testing.T, room, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", room, "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestProxyConfig(t *testing.T) {
	good := golden(t, "templates", "haproxy.cfg")
	c, err := readProxy(good)
	if err != nil {
		t.Fatal(err)
	}
	back := c.back[c.binds[8443]]
	if back == nil || len(back.servers) != 3 || back.servers[1] != "192.168.56.11:6443" || back.check != "/readyz" {
		t.Errorf("got %+v of %+v", back, c.binds)
	}
	for old, changed := range map[string]struct{ now, want string }{
		"balance roundrobin":             {"balanced roundrobin", "unknown keyword 'balanced' in 'backend' section"},
		"bind :8443":                     {"bind :api", "missing port number"},
		"default_backend control-planes": {"default_backend none", "unable to find required default_backend: 'none'"},
		"server cp1 192.168.56.10:6443":  {"server cp1", "expects <name> and <addr>"},
	} {
		text := strings.Replace(good, old, changed.now, 1)
		if text == good {
			t.Fatalf("%q stands nowhere", old)
		}
		if _, err := readProxy(text); err == nil || !strings.Contains(err.Error(), changed.want) {
			t.Errorf("%q: got %v, want %q", changed.now, err, changed.want)
		}
	}
}

func TestVRRPConfig(t *testing.T) {
	good := golden(t, "scripts", "keepalived.conf")
	c, err := readVRRP(good)
	if err != nil {
		t.Fatal(err)
	}
	check, in := c.checks["check-api"], c.instances[0]
	if check.script != "/etc/keepalived/check-api" || check.weight != -60 || check.fall != 3 || !check.failed.Load() {
		t.Errorf("check %+v", check)
	}
	if in.priority != 145 || len(in.addresses) != 1 || in.addresses[0] != "192.168.56.9" || c.lost(in) != -60 {
		t.Errorf("instance %+v, lost %d", in, c.lost(in))
	}
	for old, changed := range map[string]struct{ now, want string }{
		"interval 1":          {"intervall 1", "Unknown keyword 'intervall'"},
		"priority 145":        {"priority 300", "Priority '300' not valid"},
		"192.168.56.9/32":     {"everywhere", "Invalid address 'everywhere'"},
		"        check-api\n": {"        check-apo\n", "track script 'check-apo' not found"},
		"    track_script {\n        check-api\n    }\n}": {"    track_script {\n        check-api\n    }\n", "missing '}'"},
	} {
		text := strings.Replace(good, old, changed.now, 1)
		if text == good {
			t.Fatalf("%q stands nowhere", old)
		}
		if _, err := readVRRP(text); err == nil || !strings.Contains(err.Error(), changed.want) {
			t.Errorf("%q: got %v, want %q", changed.now, err, changed.want)
		}
	}
}
