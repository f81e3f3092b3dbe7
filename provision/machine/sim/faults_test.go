package sim

import (
	"strings"
	"testing"
)

func TestBegins(t *testing.T) {
	for _, c := range []struct {
		line, pattern string
		want          bool
	}{
		{"apt-get install kubelet", "apt-get install", true},
		{"apt-get -q -y install kubelet", "apt-get install", true},
		{"apt-get -q -y update", "apt-get install", false},
		{"apt-get -q -y install kubelet", "apt-get -y install", true},
		{"apt-get -q install kubelet", "apt-get -y install", false},
		{"bash /var/lib/podium/scripts/base.sh", "bash /var/lib/podium/scripts/ba", true},
		{"kubeadm init --config x", "kubeadm", true},
		{"kubeadm", "kubeadm init", false},
	} {
		if got := begins(strings.Fields(c.line), c.pattern); got != c.want {
			t.Errorf("begins(%q, %q) = %v", c.line, c.pattern, got)
		}
	}
}
