package command

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"strconv"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

const requestOptions = "x509 newkey: pkeyopt: nodes noenc config: days: keyout: out: CA: CAkey:"

// opensslReq makes a key and a certificate by a configuration file, signed by itself or by an authority.
func opensslReq(p *guest.Process, o option.Set) int {
	if !o.Has("x509") || o.Value("newkey") != "ec" || !(o.Has("nodes") || o.Has("noenc")) || o.Value("config") == "" {
		return p.Fail(1, "the simulator's model has only: openssl req -x509 -config FILE -newkey ec -nodes ...")
	}
	text, err := p.FS().ReadFile(p.Cred, p.Path(o.Value("config")))
	if err != nil {
		return p.Fail(1, "Can't open \"%s\" for reading, %s", o.Value("config"), guest.Reason(err))
	}
	days, err := strconv.Atoi(o.Or("days", "30"))
	if err != nil {
		return p.Fail(1, "Can't parse \"%s\" as a number", o.Value("days"))
	}
	c, err := certificateOf(text)
	if err != nil {
		return p.Fail(1, "Error generating certificate: %v", err)
	}
	now := p.Kernel.Clock()
	c.NotBefore, c.NotAfter = now.Add(-time.Second), now.AddDate(0, 0, days)
	made, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err == nil {
		c.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 150))
	}
	if err != nil {
		return p.Fail(1, "%v", err)
	}
	parent, signer := c, made
	if o.Has("CA") {
		if parent, signer, err = authority(p, o.Value("CA"), o.Value("CAkey")); err != nil {
			return p.Fail(1, "%v", err)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &made.PublicKey, signer)
	if err != nil {
		return p.Fail(1, "%v", err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(made)
	if err != nil {
		return p.Fail(1, "%v", err)
	}
	if err := p.FS().WriteFile(p.Cred, p.Path(o.Value("keyout")), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})), 0o600); err != nil {
		return p.Fail(1, "Can't open \"%s\" for writing, %s", o.Value("keyout"), guest.Reason(err))
	}
	return output(p, o.Value("out"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}

// authority reads who signs.
func authority(p *guest.Process, certFile, keyFile string) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	read := func(file string) ([]byte, error) {
		text, err := p.FS().ReadFile(p.Cred, p.Path(file))
		if err != nil {
			return nil, fmt.Errorf("Could not open file or uri for loading from %s: %s", file, guest.Reason(err)) //nolint:staticcheck // openssl's own words
		}
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			return nil, fmt.Errorf("Could not find anything in %s", file) //nolint:staticcheck // openssl's own words
		}
		return block.Bytes, nil
	}
	der, err := read(certFile)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	if der, err = read(keyFile); err != nil {
		return nil, nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, nil, err
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok || !ec.PublicKey.Equal(cert.PublicKey) {
		return nil, nil, fmt.Errorf("CA certificate and CA private key do not match")
	}
	return cert, ec, nil
}

// certificateOf reads a configuration file of openssl req: names and extensions.
func certificateOf(text string) (*x509.Certificate, error) {
	sections := map[string]map[string]string{}
	section := "default"
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		if line == "" {
			continue
		}
		if name, ok := strings.CutPrefix(line, "["); ok {
			section = strings.TrimSpace(strings.TrimSuffix(name, "]"))
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("missing equal sign: %s", line)
		}
		if sections[section] == nil {
			sections[section] = map[string]string{}
		}
		sections[section][strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	req := sections["req"]
	c := &x509.Certificate{Subject: pkix.Name{CommonName: sections[req["distinguished_name"]]["CN"]}}
	if c.Subject.CommonName == "" {
		return nil, fmt.Errorf("no objects specified in config file")
	}
	for name, value := range sections[req["x509_extensions"]] {
		for word := range strings.SplitSeq(value, ",") {
			if err := extend(c, name, strings.TrimSpace(word)); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// extend adds one word of an extension.
func extend(c *x509.Certificate, name, word string) error {
	usages := map[string]x509.KeyUsage{"digitalSignature": x509.KeyUsageDigitalSignature, "keyCertSign": x509.KeyUsageCertSign,
		"cRLSign": x509.KeyUsageCRLSign, "keyEncipherment": x509.KeyUsageKeyEncipherment}
	extended := map[string]x509.ExtKeyUsage{"serverAuth": x509.ExtKeyUsageServerAuth, "clientAuth": x509.ExtKeyUsageClientAuth}
	switch kind, value, _ := strings.Cut(word, ":"); {
	case word == "critical":
	case name == "basicConstraints" && kind == "CA":
		c.BasicConstraintsValid, c.IsCA = true, strings.EqualFold(value, "TRUE")
	case name == "keyUsage" && usages[word] != 0:
		c.KeyUsage |= usages[word]
	case name == "extendedKeyUsage" && extended[word] != 0:
		c.ExtKeyUsage = append(c.ExtKeyUsage, extended[word])
	case name == "subjectAltName" && kind == "DNS":
		c.DNSNames = append(c.DNSNames, value)
	case name == "subjectAltName" && kind == "IP" && net.ParseIP(value) != nil:
		c.IPAddresses = append(c.IPAddresses, net.ParseIP(value))
	default:
		return fmt.Errorf("error in extension: name=%s, value=%s", name, word)
	}
	return nil
}
