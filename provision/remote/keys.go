package remote

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"

	"podium/provision/folder"
)

// maxKey is the largest key file read, in bytes: an RSA key of 16384 bits has a fifth of it.
const maxKey = 64 << 10

// keyComment stands at the end of public keys, so that a line in authorized_keys tells where it came from.
const keyComment = "podium"

// GenerateKey makes an ed25519 key pair without passphrase: the private key in OpenSSH's format at path (mode 0600),
// the public one at path.pub (0644). A file that is there is never replaced: the error is fs.ErrExist.
func GenerateKey(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("key %s: %w", path, fs.ErrExist)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, keyComment)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	line, err := authorizedLine(public)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("key %s: %w", path, err)
	}
	// The public half first: a key file at path means that the pair is complete.
	if err := folder.WriteFile(path+".pub", []byte(line+"\n"), 0o644); err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	if err := folder.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	return nil
}

// rsaBits is the size of the RSA keys that Vagrant makes
// (https://github.com/hashicorp/vagrant/blob/main/lib/vagrant/util/keypair.rb).
const rsaBits = 2048

// GenerateRSAKey makes a key pair as Vagrant makes them: the private key in PEM, the one form that every version of Vagrant
// reads, and the line for authorized_keys, without line end.
func GenerateRSAKey() (private []byte, public string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return nil, "", fmt.Errorf("make an RSA key: %w", err)
	}
	half, err := ssh.NewPublicKey(&key.PublicKey)
	if err != nil {
		return nil, "", fmt.Errorf("make an RSA key: %w", err)
	}
	private = pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	return private, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(half))) + " vagrant", nil
}

// PublicKey gives the authorized_keys line, without line end, that belongs to the private key at path. A private key
// with a passphrase is not opened: the line comes from path.pub.
func PublicKey(path string) (string, error) {
	data, err := folder.ReadFile(path, maxKey)
	if err != nil {
		return "", fmt.Errorf("private key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(data)
	if err == nil {
		return authorized(signer.PublicKey()), nil
	}
	var locked *ssh.PassphraseMissingError
	if !errors.As(err, &locked) {
		return "", fmt.Errorf("private key %s: %w: it must be an OpenSSH or PEM private key", path, err)
	}
	if locked.PublicKey != nil {
		return authorized(locked.PublicKey), nil
	}
	key, err := readPublic(path + ".pub")
	if err != nil {
		return "", fmt.Errorf("private key %s has a passphrase and no public half beside it: ssh-keygen -y -f %s > %s.pub", path, path, path)
	}
	return authorized(key), nil
}

func readPublic(path string) (ssh.PublicKey, error) {
	data, err := folder.ReadFile(path, maxKey)
	if err != nil {
		return nil, err
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(data)
	return key, err
}

func authorizedLine(public ed25519.PublicKey) (string, error) {
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return "", err
	}
	return authorized(key), nil
}

func authorized(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + " " + keyComment
}
