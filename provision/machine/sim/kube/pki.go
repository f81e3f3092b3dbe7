package kube

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

const (
	pkiDir     = "/etc/kubernetes/pki"
	adminConf  = "/etc/kubernetes/admin.conf"
	kubeletCfg = "/etc/kubernetes/kubelet.conf"
	manifests  = "/etc/kubernetes/manifests"
)

// newAuthority makes the cluster's certificate authority: its certificate, and the hash that joining nodes check.
func newAuthority(now time.Time) (certificate, hash string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "kubernetes"}, NotBefore: now.Add(-time.Minute),
		NotAfter: now.AddDate(10, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		DNSNames: []string{"kubernetes"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return "", "", err
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", "", err
	}
	sum := sha256.Sum256(spki)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), "sha256:" + hex.EncodeToString(sum[:]), nil
}

// kubeconfig is a file by which a client reaches a cluster. The client certificate names the cluster and the user.
func kubeconfig(cluster, server, id, user, ca string) string {
	return fmt.Sprintf(`apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: %s
    server: https://%s
  name: %s
contexts:
- context:
    cluster: %[3]s
    user: %[4]s
  name: %[4]s@%[3]s
current-context: %[4]s@%[3]s
kind: Config
users:
- name: %[4]s
  user:
    client-certificate-data: %[5]s
    client-key-data: c2ltdWxhdGVk
`, base64.StdEncoding.EncodeToString([]byte(ca)), server, cluster, user, base64.StdEncoding.EncodeToString([]byte("simulated "+id+" "+user)))
}

// access is what a kubeconfig says.
type access struct {
	server  string // host:port
	cluster string // id
	user    string
}

func readKubeconfig(fs *vfs.FS, cred vfs.Cred, file string) (access, error) {
	text, err := fs.ReadFile(cred, file)
	if err != nil {
		return access{}, fmt.Errorf("error loading config file \"%s\": open %s: %s", file, file, strings.ToLower(guest.Reason(err)))
	}
	var c struct {
		Clusters []struct {
			Cluster struct {
				Server string `yaml:"server"`
			} `yaml:"cluster"`
		} `yaml:"clusters"`
		Users []struct {
			User struct {
				Certificate string `yaml:"client-certificate-data"`
			} `yaml:"user"`
		} `yaml:"users"`
	}
	if err := yaml.Unmarshal([]byte(text), &c); err != nil || len(c.Clusters) == 0 || len(c.Users) == 0 {
		return access{}, fmt.Errorf("error loading config file \"%s\": no configuration in it", file)
	}
	_, server, ok := strings.Cut(c.Clusters[0].Cluster.Server, "://")
	data, err := base64.StdEncoding.DecodeString(c.Users[0].User.Certificate)
	f := strings.Fields(string(data))
	if !ok || err != nil || len(f) != 3 {
		return access{}, fmt.Errorf("error loading config file \"%s\": unable to load client credentials", file)
	}
	return access{server: strings.TrimRight(server, "/"), cluster: f[1], user: f[2]}, nil
}

// randomHex is n random bytes as text.
func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) //nolint:errcheck // never fails
	return hex.EncodeToString(b)
}

// newToken is a bootstrap token: six and sixteen letters and digits.
func newToken() (id, secret string) {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	pick := func(n int) string {
		b := make([]byte, n)
		rand.Read(b) //nolint:errcheck // never fails
		for i := range b {
			b[i] = letters[int(b[i])%len(letters)]
		}
		return string(b)
	}
	return pick(6), pick(16)
}
