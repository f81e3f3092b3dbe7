package sim

import (
	"net/netip"
	"testing"
)

// FuzzLease reads host.json, which leads podium to an address: it must be one of this computer's own.
func FuzzLease(f *testing.F) {
	f.Add([]byte(`{"protocol":1,"pid":7,"address":"127.0.0.1:4711","token":"x"}`))
	f.Add([]byte(`{"address":"[::1]:1"}`))
	f.Add([]byte(`{"address":"192.0.2.1:80"}`))
	f.Add([]byte(`{"address":"127.0.0.1:80@192.0.2.1:80"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := parseLease(text)
		if err != nil {
			return
		}
		if at, err := netip.ParseAddrPort(l.Address); err != nil || !at.Addr().IsLoopback() {
			t.Errorf("%q is taken for an address of this computer", l.Address)
		}
	})
}

func TestLeaseOfAnotherComputer(t *testing.T) {
	for text, good := range map[string]bool{
		`{"address":"127.0.0.1:4711"}`: true, `{"address":"192.0.2.1:80"}`: false, `{"address":"localhost:80"}`: false, `{}`: false,
	} {
		if _, err := parseLease([]byte(text)); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}
