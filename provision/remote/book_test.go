package remote

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// FuzzKnownHosts pins and forgets a node in any file that can be read. What the file says of others must stay.
func FuzzKnownHosts(f *testing.F) {
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS"
	for _, text := range []string{"", "\n\n", "# c\n", "w1 " + key, "w2,w1 " + key + " c\r\nw2 " + key + "\n", "\tw1  " + key, "@revoked w2 " + key, "w1,w1 " + key, "w* " + key, "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= " + key} {
		f.Add(text)
	}
	public, err := ssh.NewPublicKey(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(t.TempDir(), "known_hosts")
		read := func(data []byte) *book {
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			b, err := readBook(file)
			if err != nil {
				return nil
			}
			return b
		}
		b := read([]byte(text))
		if b == nil {
			return // not a known_hosts file
		}
		others := func(b *book) map[string]int {
			n := map[string]int{}
			for name, pins := range b.known {
				if name != "podium-w1" {
					n[name] = len(pins)
				}
			}
			return n
		}
		before := others(b)
		b.remove("podium-w1")
		c := &contact{name: "podium-w1", key: public}
		b.settle([]*contact{c}, file)
		after := read(b.bytes())
		if after == nil || c.err != nil || !matches(after.known["podium-w1"], public) || len(after.known["podium-w1"]) != 1 {
			t.Fatalf("%q became %q, %v", text, b.bytes(), c.err)
		}
		after.remove("podium-w1")
		last := read(after.bytes())
		if last == nil || len(last.known["podium-w1"]) != 0 {
			t.Fatalf("not forgotten: %q", after.bytes())
		}
		if got := others(last); len(got) != len(before) {
			t.Fatalf("%q became %q", text, after.bytes())
		}
		if strings.Count(text, "#") > strings.Count(string(after.bytes()), "#") {
			t.Fatalf("a comment was lost: %q became %q", text, after.bytes())
		}
	})
}
