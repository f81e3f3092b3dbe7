package scripts_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A kubelet that does not run does not come by waiting: after two minutes the check says so, and what repairs it.
func TestKubeReadyGivesUpOnAStoppedKubelet(t *testing.T) {
	probe := body(t, "probe-kube-ready.sh", "\n# Pods are asked")
	for name, test := range map[string]struct {
		reports, waited string
		code            int
		want            string
	}{
		"just booted":             {"Unknown", "0", 1, "w3 is NotReady: its kubelet does not report"},
		"stopped":                 {"Unknown", "120", 78, "podium repair"},
		"waits for a pod network": {"False", "500", 1, "w3 is NotReady\n"},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, err := runGuest(t, t.TempDir(), `export PODIUM_NODE=cp PODIUM_KUBE_NODES="w3 192.168.56.13" PODIUM_WAITED=`+test.waited+`
hopeless_when_expired() { :; }
kubectl() {
  case "$*" in
    *jsonpath*) echo `+test.reports+` ;;
    *) echo "w3 NotReady <none> 9d v1.36.2 192.168.56.13 <none> Debian" ;;
  esac
}
`+probe, "step.sh")
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok || exit.ExitCode() != test.code || !strings.Contains(stderr, test.want) {
				t.Errorf("ended with %v and says %q, want exit code %d and %q", err, stderr, test.code, test.want)
			}
		})
	}
}

// A check knows how long it has been waited for.
func TestHoldTellsHowLong(t *testing.T) {
	home := t.TempDir()
	for _, folder := range []string{"run", "scripts"} {
		if err := os.Mkdir(filepath.Join(home, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	check := "if ((PODIUM_WAITED >= 1)); then exit 78; fi; echo waited $PODIUM_WAITED; exit 1\n"
	if err := os.WriteFile(filepath.Join(home, "scripts", "x.probe.sh"), []byte(check), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stderr, err := runGuest(t, home, "home="+home+" step=x\n. guest/lib/bundle.sh\nhold x 100", "step.sh")
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != 1 || !strings.Contains(stderr, "not yet: waited 0") {
		t.Errorf("ended with %v and says %q", err, stderr)
	}
}
