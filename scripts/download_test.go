package scripts_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A file that is not what podium knows of it is refused, wherever it comes from, and does not stay.
func TestDownloadsAreChecked(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("skipped: needs curl: apt-get install curl")
	}
	good := "apiVersion: v1\n"
	sum := func(text string) string {
		s := sha256.Sum256([]byte(text))
		return hex.EncodeToString(s[:])
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "evil") {
			_, _ = w.Write([]byte("rm -rf /\n"))
			return
		}
		_, _ = w.Write([]byte(good))
	}))
	defer server.Close()
	other := sum("something else")
	for name, test := range map[string]struct {
		checksums, command string
		fails              bool
	}{
		"as known":                          {sum(good) + " o/r/file.yaml", "fetch $url/o/r/file.yaml $file", false},
		"not as known":                      {sum(good) + " evil/r/file.yaml", "fetch $url/evil/r/file.yaml $file", true},
		"not as known, in a list":           {other + " a\n" + sum(good) + " evil/r/file.yaml\n" + other + " b", "fetch $url/evil/r/file.yaml $file", true},
		"the end of another name":           {other + " file.yaml", "fetch $url/o/other-file.yaml $file", false},
		"not known":                         {other + " o/r/other.yaml", "fetch $url/o/r/file.yaml $file", false},
		"nothing known":                     {"", "fetch $url/o/r/file.yaml $file", false},
		"archive, as known":                 {sum(good) + " o/r/file.tgz", "fetch_archive $url/o/r/file.tgz $file " + other, false},
		"archive, beside it another":        {"", "fetch_archive $url/o/r/file.tgz $file " + other, true},
		"archive, both changed":             {sum(good) + " evil/file.tgz", "fetch_archive $url/evil/file.tgz $file " + sum("rm -rf /\n"), true},
		"archive, known by its maker alone": {"", "fetch_archive $url/o/r/file.tgz $file " + sum(good), false},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "file")
			text := "PODIUM_CHECKSUMS='" + test.checksums + "'\nurl=" + server.URL + " file=" + file + "\n" + test.command
			_, stderr, err := runGuest(t, t.TempDir(), text, "step.sh", "download.sh")
			if (err != nil) != test.fails || test.fails && !strings.Contains(stderr, "has not the checksum") {
				t.Errorf("%v\n%s", err, stderr)
			}
			if _, err := os.Stat(file); (err != nil) != test.fails {
				t.Errorf("the file: %v", err)
			}
		})
	}
}
