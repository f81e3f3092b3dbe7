package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"podium/provision/catalogue"
)

// What machines download is read and compared; what has no checksum is said, and read where that is wanted.
func TestFiles(t *testing.T) {
	content := "kind: Service\n"
	sum := sha256.Sum256([]byte(content))
	good := hex.EncodeToString(sum[:])
	server := serve(t, map[string]http.HandlerFunc{
		"/o/1/a.yaml": text(content), "/o/1/b.yaml": text("changed\n"), "/o/1/c.yaml": text(content), "/o/1/sums": text("x"), "/mirror/1/a.yaml": text("own\n"),
	})
	c := catalogue.Catalogue{
		Sources: []catalogue.Source{{Name: "o", URL: server.URL + "/o", Mirror: "o"}},
		Components: []catalogue.Component{{
			Name: "x", Versions: []catalogue.Release{{Version: "1", Default: true}},
			URLs: map[string]string{
				"a": server.URL + "/o/{version}/a.yaml", "b": server.URL + "/o/{version}/b.yaml", "c": server.URL + "/o/{version}/c.yaml", "checksums": server.URL + "/o/{version}/sums",
			},
			SHA256: map[string]string{"1 a": good, "1 b": good},
		}},
	}
	results := run(t, Options{Catalogue: c})
	for subject, want := range map[string]Outcome{"x 1, a": Good, "x 1, b": Rotten, "x 1, c": Warning, "x 1, checksums": Good} {
		if got := results[subject]; got.Outcome != want || got.Found != nil {
			t.Errorf("%s is %s (%s), want %s", subject, got.Outcome, got.Message, want)
		}
	}
	if got := results["x 1, b"].Message; !strings.Contains(got, "the file was changed") {
		t.Errorf("a changed file: %s", got)
	}
	results = run(t, Options{Catalogue: c, Pin: true})
	if found := results["x 1, c"].Found; found == nil || found.SHA256 != good || found.Purpose != "c" || found.Version != "1" {
		t.Errorf("found %+v", found)
	}
	results = run(t, Options{Catalogue: c, Mirrors: map[string]string{"o": server.URL + "/mirror"}})
	if got := results["x 1, a (mirror)"]; got.Outcome != Rotten || !strings.Contains(got.Message, "mirrors.checksums") {
		t.Errorf("a mirror's own file is %s: %s", got.Outcome, got.Message)
	}
}
