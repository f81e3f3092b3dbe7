package lab

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]Size{"512MiB": 512 * MiB, "2GiB": 2 * GiB, "1MiB": MiB, "1536MiB": 1536 * MiB, "8589934591GiB": 8589934591 * GiB} {
		if got, err := ParseSize(text); got != want || err != nil {
			t.Errorf("%s: got %d, %v; want %d", text, got, err, want)
		}
	}
	for text, advice := range map[string]string{
		"2GB": "write 2GiB", "2G": "write 2GiB", "2 GiB": "write 2GiB", "2gib": "write 2GiB", "2048": "write 2GiB", "1.5GiB": "write 1536MiB",
		"1T": "write 1024GiB", "700m": "write 700MiB", "": "such as 512MiB", "GiB": "such as 512MiB", "-1GiB": "such as 512MiB",
		"0GiB": "such as 512MiB", "+1GiB": "write 1GiB", "1e3MiB": "write 1000MiB", "NaNGiB": "such as 512MiB", "InfGiB": "such as 512MiB",
		"8589934592GiB": "larger than any machine", "99999999999999999999GiB": "such as 512MiB", "0x10MiB": "such as 512MiB",
		"2GiB ": "write 2GiB", "1_000MiB": "write 1000MiB", "２GiB": "such as 512MiB",
	} {
		if got, err := ParseSize(text); err == nil || !strings.Contains(err.Error(), advice) {
			t.Errorf("%q: got %d, %v; want an error with %q", text, got, err, advice)
		}
	}
}

func TestSizeText(t *testing.T) {
	for size, want := range map[Size]string{0: "0", 2 * GiB: "2GiB", 1536 * MiB: "1536MiB", MiB: "1MiB"} {
		if got := size.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		encoded, err := json.Marshal(size)
		if err != nil {
			t.Fatal(err)
		}
		var again Size
		if err := json.Unmarshal(encoded, &again); err != nil || again != size {
			t.Errorf("%s by way of JSON: got %s, %v", size, again, err)
		}
	}
	if got := (3*GiB + 5*MiB + 1).MiB(); got != 3077 {
		t.Errorf("got %d MiB", got)
	}
}
