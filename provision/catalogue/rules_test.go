package catalogue

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestRulesAndDeadAreWhole(t *testing.T) {
	c := parsed(t)
	var names []string
	for _, d := range c.Distributions {
		names = append(names, d.Name)
		if d.Cgroup != "1" && d.Cgroup != "2" || d.End == "" || d.ID == "" || d.Codename == "" || len(d.Names) == 0 || d.From == "" || d.Checked == "" {
			t.Errorf("distribution %s is not whole: %+v", d.Name, d)
		}
		for _, part := range d.Names {
			if found, _ := DistributionOf(part); found.Name != d.Name || !regexp.MustCompile(`^[a-z]+[a-z0-9]+$`).MatchString(part) {
				t.Errorf("%q is found as %q, not as %q", part, found.Name, d.Name)
			}
		}
		for name := range d.Packages {
			if _, ok := c.Find(name); !ok {
				t.Errorf("%s has a package of %s, which the catalogue does not know", d.Name, name)
			}
		}
	}
	sorted(t, "distributions", names)
	for _, r := range c.Rules {
		if r.Because == "" || r.Instead == "" || r.From == "" || len(r.When) < 2 {
			t.Errorf("rule %s is not whole: %+v", r.Name, r)
		}
		for subject, condition := range r.When {
			if _, ok := c.Find(subject); !ok && subject != "cgroup" {
				t.Errorf("rule %s is about %s, which the catalogue does not know", r.Name, subject)
			}
			if !regexp.MustCompile(`^(<|<=|>|>=|=|!=) ([0-9.]+|\{kubernetes\})$`).MatchString(condition) {
				t.Errorf("rule %s: %q is not a condition", r.Name, condition)
			}
		}
	}
	names = nil
	for _, d := range c.Dead {
		names = append(names, d.What)
		if d.Instead == "" || d.From == "" || strings.Contains(d.Instead, d.What) {
			t.Errorf("dead %s is not whole: %+v", d.What, d)
		}
	}
	sorted(t, "dead", names)
}

func TestDistributionOf(t *testing.T) {
	for name, want := range map[string]string{
		"bento/ubuntu-24.04":       "Ubuntu 24.04",
		"generic/ubuntu2004":       "Ubuntu 20.04",
		"ubuntu/focal64":           "Ubuntu 20.04",
		"debian/bookworm64":        "Debian 12",
		"images:debian/12":         "Debian 12",
		"images:debian/13/cloud":   "Debian 13",
		"images:ubuntu/noble":      "Ubuntu 24.04",
		"bento/almalinux-9":        "",
		"a-class-of-its-own":       "",
		"":                         "",
		"bento/Debian-12.5":        "Debian 12",
		"school/ubuntu-24.04-k8s":  "Ubuntu 24.04",
		"images:ubuntu/22.04/arm6": "Ubuntu 22.04",
	} {
		if d, ok := DistributionOf(name); d.Name != want || ok != (want != "") {
			t.Errorf("%s is taken for %q, not for %q", name, d.Name, want)
		}
	}
}

func TestConflicts(t *testing.T) {
	c := parsed(t)
	for _, test := range []struct {
		versions map[string]string
		want     []string
	}{
		{map[string]string{"kubernetes": "1.35", "cgroup": "1"}, []string{"cgroup-v1"}},
		{map[string]string{"kubernetes": "1.36.2", "cgroup": "1"}, []string{"cgroup-v1"}},
		{map[string]string{"kubernetes": "1.34.9", "cgroup": "1"}, nil},
		{map[string]string{"kubernetes": "1.36", "cgroup": "2"}, nil},
		{map[string]string{"kubernetes": "1.36"}, nil},
		{map[string]string{"kubernetes": "1.38", "containerd": "1.7.28"}, []string{"containerd-1"}},
		{map[string]string{"kubernetes": "1.38", "containerd": "2.3"}, nil},
		{map[string]string{"kubernetes": "1.37", "containerd": "1.7"}, nil}, // TooOld says so
		{map[string]string{"docker": "29.8.2", "cri-dockerd": "0.3.15"}, []string{"cri-dockerd-old"}},
		{map[string]string{"docker": "29.8.2", "cri-dockerd": "0.4.10"}, nil},
		{map[string]string{"docker": "20.10.24", "cri-dockerd": "0.4.10"}, nil}, // seen to work on real nodes
		{map[string]string{"kubernetes": "1.36", "cri-o": "1.35"}, []string{"cri-o-minor"}},
		{map[string]string{"kubernetes": "1.36.2", "cri-o": "1.36.1"}, nil},
	} {
		var got []string
		for _, r := range c.Conflicts(test.versions) {
			got = append(got, r.Name)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%v breaks %v, want %v", test.versions, got, test.want)
		}
	}
}

func TestTooOld(t *testing.T) {
	for _, c := range []struct {
		containerd, kubernetes string
		want                   bool
	}{
		{"1.6.20", "1.34", false},
		{"1.4.13", "1.34", true},
		{"1.6.20", "1.35", true},
		{"1.7.24", "1.35.4", false},
		{"1.7.24", "1.36", true},
		{"2.2.1", "1.36", false},
		{"2.2.1", "1.37", true},
		{"2.4", "1.37", false},
		{"1.0", "9.9", false},
	} {
		if got := TooOld(c.containerd, c.kubernetes); got != c.want {
			t.Errorf("containerd %s with Kubernetes %s: too old is %v", c.containerd, c.kubernetes, got)
		}
	}
}

// What the catalogue puts together breaks none of its own rules.
func TestSetsBreakNoRule(t *testing.T) {
	c := parsed(t)
	for _, set := range c.Sets {
		for _, series := range set.Containerd {
			versions := maps.Clone(set.With)
			versions["kubernetes"], versions["containerd"], versions["cgroup"], versions["docker"] = set.Kubernetes, series, "2", Version("docker")
			for _, r := range c.Conflicts(versions) {
				t.Errorf("the set of Kubernetes %s with containerd %s breaks the rule %s", set.Kubernetes, series, r.Name)
			}
		}
	}
}
