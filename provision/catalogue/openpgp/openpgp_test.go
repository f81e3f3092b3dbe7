package openpgp

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// gpg runs GnuPG with a home of its own.
func gpg(t testing.TB, home string, input string, args ...string) string {
	t.Helper()
	c := exec.Command("gpg", append([]string{"--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""}, args...)...)
	c.Stdin = strings.NewReader(input)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		t.Fatalf("gpg %v: %v\n%s", args, err, errs.String())
	}
	return string(out)
}

// home is a folder for gpg; its agent leaves with the test.
func home(t testing.TB) string {
	t.Helper()
	if _, err := exec.LookPath("gpg"); err != nil {
		t.Skip("skipped: needs gpg: apt-get install gnupg")
	}
	dir, err := os.MkdirTemp("/tmp", "podium-gpg") // an agent's socket has a short path only
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", dir, "--kill", "gpg-agent").Run()
		_ = os.RemoveAll(dir)
	})
	return dir
}

// listed is what gpg itself says of the keys: fingerprint, and the end in seconds or nothing, of each primary key.
func listed(t *testing.T, home string) map[string]string {
	t.Helper()
	ends := map[string]string{}
	end := ""
	primary := false
	for line := range strings.Lines(gpg(t, home, "", "--with-colons", "--list-keys")) {
		f := strings.Split(line, ":")
		switch f[0] {
		case "pub":
			end, primary = f[6], true
		case "sub":
			primary = false
		case "fpr":
			if primary {
				ends[f[9]] = end
				primary = false
			}
		}
	}
	return ends
}

// TestReadKeysAsGPG makes keys of several kinds and compares what is read with what gpg lists.
func TestReadKeysAsGPG(t *testing.T) {
	dir := home(t)
	for i, kind := range [][]string{{"rsa2048", "default", "2y"}, {"ed25519", "sign", "30d"}, {"rsa2048", "sign", "never"}, {"nistp256", "default", "2031-05-01"}} {
		gpg(t, dir, "", append([]string{"--quick-generate-key", "Archive " + string(rune('A'+i)) + " <a@school.example>"}, kind...)...)
	}
	for _, armor := range [][]string{{"--armor"}, nil} {
		file := gpg(t, dir, "", append(armor, "--export")...)
		keys, err := ReadKeys([]byte(file))
		if err != nil {
			t.Fatal(err)
		}
		want := listed(t, dir)
		if len(keys) != len(want) || len(keys) != 4 {
			t.Fatalf("%d keys, gpg lists %d", len(keys), len(want))
		}
		for _, k := range keys {
			end, ok := want[k.Fingerprint]
			if !ok {
				t.Errorf("gpg knows no key %s", k.Fingerprint)
			}
			got := ""
			if !k.Expires.IsZero() {
				got = itoa(k.Expires.Unix())
			}
			if got != end || k.Revoked || !strings.HasPrefix(k.User, "Archive ") || time.Since(k.Created).Abs() > time.Hour {
				t.Errorf("%+v: gpg says it ends at %q", k, end)
			}
		}
	}
}

// TestLonger makes a key longer, as archives do: the newer signature counts.
func TestLonger(t *testing.T) {
	dir := home(t)
	gpg(t, dir, "", "--quick-generate-key", "Archive <a@school.example>", "rsa2048", "sign", "10d")
	first, err := ReadKeys([]byte(gpg(t, dir, "", "--armor", "--export")))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // signatures have seconds
	gpg(t, dir, "", "--quick-set-expire", first[0].Fingerprint, "400d")
	second, err := ReadKeys([]byte(gpg(t, dir, "", "--armor", "--export")))
	if err != nil {
		t.Fatal(err)
	}
	if days := second[0].Expires.Sub(first[0].Expires).Hours() / 24; second[0].Fingerprint != first[0].Fingerprint || days < 389 || days > 391 {
		t.Errorf("from %v to %v", first[0], second[0])
	}
}

// TestRevoked: a key that was taken back says so.
func TestRevoked(t *testing.T) {
	dir := home(t)
	gpg(t, dir, "", "--quick-generate-key", "Archive <a@school.example>", "rsa2048", "sign", "10d")
	keys, err := ReadKeys([]byte(gpg(t, dir, "", "--armor", "--export")))
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := os.ReadFile(filepath.Join(dir, "openpgp-revocs.d", keys[0].Fingerprint+".rev"))
	if err != nil {
		t.Fatal(err)
	}
	gpg(t, dir, strings.Replace(string(certificate), ":-----BEGIN", "-----BEGIN", 1), "--import")
	keys, err = ReadKeys([]byte(gpg(t, dir, "", "--armor", "--export")))
	if err != nil || !keys[0].Revoked {
		t.Errorf("%+v, %v: not revoked", keys, err)
	}
}

// TestSubkey: an archive may sign with a subkey that ends before the primary key.
func TestSubkey(t *testing.T) {
	dir := home(t)
	gpg(t, dir, "", "--quick-generate-key", "Archive <a@school.example>", "rsa2048", "cert", "never")
	keys, err := ReadKeys([]byte(gpg(t, dir, "", "--armor", "--export")))
	if err != nil {
		t.Fatal(err)
	}
	if !keys[0].Expires.IsZero() {
		t.Errorf("a key that only certifies, without an end: %v", keys[0].Expires)
	}
	gpg(t, dir, "", "--quick-add-key", keys[0].Fingerprint, "rsa2048", "sign", "20d")
	gpg(t, dir, "", "--quick-add-key", keys[0].Fingerprint, "rsa2048", "sign", "50d")
	gpg(t, dir, "", "--quick-add-key", keys[0].Fingerprint, "rsa2048", "encr", "never")
	keys, err = ReadKeys([]byte(gpg(t, dir, "", "--armor", "--export")))
	if err != nil {
		t.Fatal(err)
	}
	if days := time.Until(keys[0].Expires).Hours() / 24; days < 49 || days > 51 {
		t.Errorf("the last signing subkey ends in %v days, want 50", days)
	}
}

// TestDebiansKeys reads keys that podium did not make: those of Debian's archive, where they are installed.
func TestDebiansKeys(t *testing.T) {
	files, _ := filepath.Glob("/usr/share/keyrings/debian-archive-*.gpg")
	files2, _ := filepath.Glob("/usr/share/keyrings/ubuntu-*.gpg")
	if files = append(files, files2...); len(files) == 0 {
		t.Skip("skipped: no keyring of Debian or Ubuntu here: apt-get install debian-archive-keyring")
	}
	dir := home(t)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := ReadKeys(text)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		shown := gpg(t, dir, "", "--with-colons", "--show-keys", file)
		for _, k := range keys {
			if !strings.Contains(shown, ":"+k.Fingerprint+":") || !strings.Contains(shown, ":"+itoa(k.Created.Unix())+":") {
				t.Errorf("%s: gpg knows nothing of %+v", file, k)
			}
			if !k.Expires.IsZero() && !strings.Contains(shown, ":"+itoa(k.Expires.Unix())+":") {
				t.Errorf("%s: gpg knows no end %v of %s", file, k.Expires, k.Fingerprint)
			}
		}
		if want := strings.Count("\n"+shown, "\npub:"); want != len(keys) {
			t.Errorf("%s: %d keys, gpg shows %d", file, len(keys), want)
		}
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func TestReadKeysRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "no OpenPGP public key"},
		{"a captive portal's page", "<html>log in</html>", "no OpenPGP public key"},
		{"no end", armorBegin + "\n\nmQ==\n", "cut off"},
		{"no base64", armorBegin + "\n\n!!!!\n" + armorEnd, "damaged"},
		{"an empty block", armorBegin + "\n\n" + armorEnd, "no OpenPGP public key"},
		{"a packet cut off", "\x99\x01\x0d\x04", "cut off"},
		{"a key of version 6", "\xc6\x06\x06\x00\x00\x00\x00\x01", "version 6"},
		{"a short key", "\xc6\x02\x04\x00", "cut off"},
		{"no length", "\x9b\x00", "no length"},
		{"in parts", "\xc6\xe1\x00", "in parts"},
		{"no packet", "\xc6\x06\x04\x00\x00\x00\x00\x01\x00", "cannot begin with 0x00"},
		{"too much", string(bytes.Repeat([]byte{0x80}, MaxSize+1)), "more than a file of keys can have"},
		{"a signature alone", "\xc2\x01\x04", "no OpenPGP public key"},
	} {
		_, err := ReadKeys([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
	}
	if _, err := ReadKeys(nil); !errors.Is(err, ErrNoKey) {
		t.Errorf("%v is not ErrNoKey", err)
	}
}

func FuzzReadKeys(f *testing.F) {
	f.Add([]byte("\xc6\x06\x04\x00\x00\x00\x00\x01"))
	f.Add([]byte(armorBegin + "\nVersion: 1\n\nxgYEAAAAAAE=\n=abcd\n" + armorEnd))
	if files, _ := filepath.Glob("/usr/share/keyrings/*.gpg"); len(files) > 0 {
		if text, err := os.ReadFile(files[0]); err == nil {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := ReadKeys(text)
		if (err == nil) == (len(keys) == 0) {
			t.Errorf("%d keys and the error %v", len(keys), err)
		}
		for _, k := range keys {
			if len(k.Fingerprint) != 40 || !utf8.ValidString(k.User) {
				t.Errorf("%+v", k)
			}
		}
	})
}
