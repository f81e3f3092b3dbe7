package lab

import "testing"

func TestNearest(t *testing.T) {
	names := []string{"name", "nodes", "network", "control-plane", "worker", "memory", "cpus"}
	for word, want := range map[string]string{
		"nmae": "name", "node": "nodes", "netwrok": "network", "controlplane": "control-plane", "workr": "worker", "Worker": "worker",
		"memroy": "memory", "cpu": "cpus", "x": "", "": "", "kubernetes": "", "실습": "",
		"control-plane-control-plane-control-plane-control-plane": "",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abc", "axc", 1}, {"abcd", "badc", 2}, {"kitten", "sitting", 3}} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("%q to %q: got %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
