package lab

import (
	"strings"
	"testing"

	"podium/provision/catalogue"
)

func TestPairs(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a box with cgroup v1", "box: debian/buster64\nkubernetes: {version: '1.36'}",
			`lab.yaml:3:6: box: "debian/buster64" does not go with kubernetes.version 1.36: the kubelet does not start with cgroup v1 from Kubernetes 1.35 on (Debian 10): take one with cgroup v2, such as bento/ubuntu-24.04, or write kubernetes.version: "1.34"`},
		{"and an older Kubernetes", "box: debian/buster64\nkubernetes: {version: '1.34'}", ""},
		{"a container has its host's cgroups", "provider: incus\nincus: {image: 'images:ubuntu/20.04'}\nkubernetes: {version: '1.36'}", ""},
		{"a virtual machine has its own", "provider: incus\nincus: {image: 'images:ubuntu/20.04', instance: vm}\nkubernetes: {version: '1.36'}",
			`lab.yaml:4:16: incus.image: "images:ubuntu/20.04" does not go with`},
		{"the distribution's containerd is too old", "box: debian/bookworm64\nsource: distro\nkubernetes: {version: '1.35'}",
			`lab.yaml:4:9: source: "distro" takes containerd 1.6.20 of Debian 12, and Kubernetes 1.35 wants 1.7 or later: write source: upstream, or kubernetes.version: "1.34"`},
		{"and not too old", "box: debian/bookworm64\nsource: distro\nkubernetes: {version: '1.34'}", ""},
		{"upstream's is new", "box: debian/bookworm64\nkubernetes: {version: '1.37'}", ""},
		{"Ubuntu 24.04's was updated", "source: distro\nkubernetes: {version: '1.36'}", ""},
		{"but not so far", "source: distro\nkubernetes: {version: '1.37'}", `takes containerd 2.2.1 of Ubuntu 24.04, and Kubernetes 1.37 wants 2.3 or later`},
		{"an image of one's own may hold anything", "provider: incus\nincus: {image: my-debian-12}\nsource: distro\nkubernetes: {version: '1.37'}", ""},
		{"a box that the catalogue lacks", "box: school/box\nsource: distro\nkubernetes: {version: '1.37'}", ""},
		{"a version that is not offered is one problem", "box: debian/buster64\nkubernetes: {version: '1.99'}", `kubernetes.version: "1.99" is not a version`},
	} {
		l, at, err := Parse("lab.yaml", []byte("name: a\nnodes: [{name: cp, roles: [control-plane]}]\n"+c.text+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		Default(&l)
		err = Validate(l, at)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s: Validate gives\n%v\nwant one problem with\n%s", c.name, err, c.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		name, text, today string
		want              []string
	}{
		{"the last day", "kubernetes: {version: '1.34'}", "2026-10-27", nil},
		{"the day after", "kubernetes: {version: '1.34.4'}", "2026-10-28", []string{`lab.yaml:3:23: kubernetes.version: "1.34.4" has had no fixes since 2026-10-27: write 1.35, 1.36 or 1.37`}},
		{"all of them", "kubernetes: {}", "2099-01-01", []string{
			`kubernetes.version: "1.36" has had no fixes since 2027-06-28: is there a newer podium?`,
			`box: "bento/ubuntu-24.04" is Ubuntu 24.04, which has had no fixes since 2029-05-31: take a newer one`,
		}},
		{"a box", "box: generic/ubuntu2004", "2026-11-21", []string{`lab.yaml:3:6: box: "generic/ubuntu2004" is Ubuntu 20.04, which has had no fixes since 2025-05-31: take a newer one`}},
		{"an image", "provider: incus\nincus: {image: 'images:debian/11'}", "2026-11-21", []string{`incus.image: "images:debian/11" is Debian 11, which has had no fixes since 2026-08-31`}},
		{"machines that exist are their owner's", "provider: static\nbox: generic/ubuntu2004", "2026-11-21", nil},
		{"an add-on that was given up", "kubernetes: {addons: [ingress-nginx, helm]}", "2026-11-21", []string{`lab.yaml:3:23: kubernetes.addons[0]: "ingress-nginx" has had no fixes since 2026-03-31: legacy`}},
	} {
		l, at, err := Parse("lab.yaml", []byte("name: a\nnodes: [{name: cp, roles: [control-plane]}]\n"+c.text+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		Default(&l)
		got := warnings(l, at, catalogue.Date(c.today))
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %q", c.name, got, c.want)
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(got[i].Error(), want) {
				t.Errorf("%s:\n%v\nwant\n%s", c.name, got[i], want)
			}
		}
	}
}
