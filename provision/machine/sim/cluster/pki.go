package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// pair is a certificate with its key. Keys are elliptic curves: real kubeadm makes RSA keys unless told otherwise, which
// take a hundred times longer.
type pair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (c pair) certPEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw}))
}

func (c pair) keyPEM() (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

const (
	caYears   = 10
	certYears = 1
)

// newCA makes a certificate authority.
func newCA(name string, now time.Time) (pair, error) {
	return sign(pair{}, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign, DNSNames: []string{name},
	}, now, caYears)
}

// newCert makes a certificate for a client or server.
func newCert(ca pair, name string, groups, hosts []string, now time.Time) (pair, error) {
	var names []string
	var addresses []net.IP
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			addresses = append(addresses, ip)
		} else {
			names = append(names, h)
		}
	}
	return sign(ca, &x509.Certificate{
		Subject: pkix.Name{CommonName: name, Organization: groups}, DNSNames: names, IPAddresses: addresses, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}, now, certYears)
}

func sign(ca pair, c *x509.Certificate, now time.Time, years int) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 62))
	if err != nil {
		return pair{}, err
	}
	// As kubeadm does, five minutes earlier, for clocks that go slow.
	c.SerialNumber, c.NotBefore, c.NotAfter = serial, now.Add(-5*time.Minute), now.AddDate(years, 0, 0)
	parent, signer := ca.cert, ca.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		return pair{}, err
	}
	cert, err := x509.ParseCertificate(der)
	return pair{cert, key}, err
}

// readCert reads the first certificate of PEM text.
func readCert(text string) (*x509.Certificate, error) {
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			return x509.ParseCertificate(block.Bytes)
		}
	}
	return nil, fmt.Errorf("tls: failed to find any PEM data in certificate input")
}

func readPair(cert, key string) (pair, error) {
	c, err := readCert(cert)
	if err != nil {
		return pair{}, err
	}
	block, _ := pem.Decode([]byte(key))
	if block == nil {
		return pair{}, fmt.Errorf("tls: failed to find any PEM data in key input")
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return pair{}, err
	}
	ec, ok := k.(*ecdsa.PrivateKey)
	if !ok || !ec.PublicKey.Equal(c.PublicKey) {
		return pair{}, fmt.Errorf("tls: private key does not match public key")
	}
	return pair{c, ec}, nil
}

// pin is what kubeadm calls the hash of a CA: the digest of its public key.
func pin(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// verify checks that ca signed c and that both are valid at a time; the error is worded as Go's clients word it.
func verify(c, ca *x509.Certificate, now time.Time) error {
	const stamp = "2006-01-02T15:04:05Z"
	switch {
	case c.CheckSignatureFrom(ca) != nil:
		return fmt.Errorf("tls: failed to verify certificate: x509: certificate signed by unknown authority")
	case now.Before(c.NotBefore):
		return fmt.Errorf("tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time %s is before %s",
			now.UTC().Format(stamp), c.NotBefore.UTC().Format(stamp))
	case now.After(c.NotAfter):
		return fmt.Errorf("tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time %s is after %s",
			now.UTC().Format(stamp), c.NotAfter.UTC().Format(stamp))
	}
	return nil
}

// random makes n random bytes in hexadecimal.
func random(n int) string {
	b := make([]byte, n)
	rand.Read(b) //nolint:errcheck // never fails
	return hex.EncodeToString(b)
}
