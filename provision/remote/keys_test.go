package remote_test

import (
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"podium/provision/remote"
)

func TestGenerateKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "id_ed25519")
	if err := remote.GenerateKey(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 && filepath.Separator == '/' {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	line, err := remote.PublicKey(path)
	if err != nil || !strings.HasPrefix(line, "ssh-ed25519 AAAA") || !strings.HasSuffix(line, " podium") {
		t.Errorf("public key %q, %v", line, err)
	}
	if beside, err := os.ReadFile(path + ".pub"); err != nil || string(beside) != line+"\n" {
		t.Errorf("public half %q, %v", beside, err)
	}
	if err := remote.GenerateKey(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second time: %v", err)
	}
	if again, _ := remote.PublicKey(path); again != line {
		t.Error("the key was replaced")
	}
}

// lockedKey writes a private key with a passphrase.
func lockedKey(t *testing.T, private ed25519.PrivateKey) string {
	t.Helper()
	block, err := ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "locked")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPublicKeyProblems(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := remote.PublicKey(garbage); err == nil || !strings.Contains(err.Error(), garbage) {
		t.Errorf("garbage: %v", err)
	}
	if _, err := remote.PublicKey(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	_, private, _ := ed25519.GenerateKey(nil)
	if line, err := remote.PublicKey(lockedKey(t, private)); err != nil || !strings.HasPrefix(line, "ssh-ed25519 ") {
		t.Errorf("with passphrase: %q, %v", line, err)
	}
}
