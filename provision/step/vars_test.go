package step

import (
	"testing"

	"podium/provision/lab"
)

// A mirror in the local network is reached without the proxy; a public one may be reached by the proxy only.
func TestNoProxy(t *testing.T) {
	c := Context{Lab: lab.Lab{
		Network: "192.168.56.0/24",
		Proxy:   &lab.Proxy{HTTP: "http://10.0.0.3:3128", NoProxy: []string{".school.example"}},
		Mirrors: lab.Mirrors{
			Apt: "http://10.0.0.2/ubuntu", GitHub: "http://mirror/github", Kubernetes: "https://mirror.kakao.com/k8s", Helm: "http://cache.lab.internal/helm",
			Registry: "http://10.0.0.2:5000", Registries: map[string]string{"docker.io": "http://[fd00::2]:5001"},
		},
	}}
	want := "localhost,127.0.0.1,192.168.56.0/24,10.0.0.2,cache.lab.internal,fd00::2,mirror,.school.example"
	if got := noProxy(c); got != want {
		t.Errorf("no proxy for\n%s, want\n%s", got, want)
	}
}
