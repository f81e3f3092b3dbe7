package lab

import (
	"net/netip"
	"strings"
	"testing"
)

func TestPodRange(t *testing.T) {
	for _, c := range []struct{ network, pods, address, want string }{
		{"192.168.56.0/24", "10.244.0.0/16", "192.168.56.10", "10.244.10.0/24"},
		{"192.168.56.0/24", "10.244.0.0/16", "192.168.56.254", "10.244.254.0/24"},
		{"192.168.56.128/25", "10.244.0.0/16", "192.168.56.130", "10.244.2.0/24"},
		{"10.10.0.0/22", "10.244.0.0/16", "10.10.1.10", "10.244.66.128/26"},
		{"10.10.0.0/22", "10.32.0.0/12", "10.10.3.254", "10.35.254.0/24"},
	} {
		got, err := PodRange(netip.MustParsePrefix(c.network), netip.MustParsePrefix(c.pods), netip.MustParseAddr(c.address))
		if err != nil || got.String() != c.want {
			t.Errorf("PodRange(%s, %s, %s) = %v, %v; want %s", c.network, c.pods, c.address, got, err, c.want)
		}
		if pods := netip.MustParsePrefix(c.pods); err == nil && !pods.Overlaps(got) {
			t.Errorf("%s lies outside %s", got, pods)
		}
	}
}

// Ranges of two machines never overlap.
func TestPodRangeIsItsOwn(t *testing.T) {
	network, pods := netip.MustParsePrefix("10.10.0.0/22"), netip.MustParsePrefix("10.244.0.0/16")
	seen := map[netip.Prefix]netip.Addr{}
	for a := network.Addr().Next(); network.Contains(a); a = a.Next() {
		r, err := PodRange(network, pods, a)
		if err != nil {
			t.Fatal(err)
		}
		if r != r.Masked() {
			t.Fatalf("%s of %s is not where a range begins", r, a)
		}
		if other, ok := seen[r]; ok {
			t.Fatalf("%s belongs to %s and to %s", r, other, a)
		}
		seen[r] = a
	}
}

func TestPodRangeTooSmall(t *testing.T) {
	_, err := PodRange(netip.MustParsePrefix("10.0.0.0/16"), netip.MustParsePrefix("10.244.0.0/16"), netip.MustParseAddr("10.0.0.10"))
	if err == nil || !strings.Contains(err.Error(), "write a /11 or larger") {
		t.Errorf("error %v does not say what to write", err)
	}
	if _, err := PodRange(netip.MustParsePrefix("10.0.0.0/16"), netip.MustParsePrefix("10.32.0.0/11"), netip.MustParseAddr("10.0.0.10")); err != nil {
		t.Errorf("what the message says to write is refused: %v", err)
	}
}
