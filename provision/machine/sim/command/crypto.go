package command

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"io"
	"os"
	"strconv"
	"strings"

	"podium/provision/catalogue"
	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func cryptos() guest.Programs {
	return guest.Programs{"openssl": openssl, "gpg": gpg}
}

func openssl(_ context.Context, p *guest.Process) int {
	if len(p.Args) < 2 {
		return p.Fail(1, "no command given")
	}
	sub := p.Args[1]
	name := "openssl " + sub
	parse := func(spec string) (option.Set, bool) {
		return option.ParseArgs(p, name, p.Args[2:], spec, option.Single)
	}
	switch sub {
	case "version":
		p.Print("OpenSSL 3.0.13 30 Jan 2024 (simulated)\n")
		return 0
	case "rand":
		o, ok := parse("hex out:")
		if !ok || len(o.Args) != 1 {
			return 1
		}
		n, err := strconv.Atoi(o.Args[0])
		if err != nil || n < 1 {
			return p.Fail(1, "rand: not a number: %s", o.Args[0])
		}
		b := make([]byte, n)
		rand.Read(b) //nolint:errcheck // never fails
		text := string(b)
		if o.Has("hex") {
			text = hex.EncodeToString(b) + "\n"
		}
		return output(p, o.Value("out"), text)
	case "x509":
		o, ok := parse("in: noout pubkey enddate checkend: dates outform: ext:")
		if !ok {
			return 1
		}
		return opensslX509(p, o)
	case "req":
		o, ok := parse(requestOptions)
		if !ok {
			return 1
		}
		return opensslReq(p, o)
	case "pkey":
		o, ok := parse("pubin in: outform: out:")
		if !ok {
			return 1
		}
		return opensslPkey(p, o)
	case "dgst":
		o, ok := parse("sha256 sha512 hex r")
		if !ok {
			return 1
		}
		data, code := input(p, "")
		if code != 0 {
			return code
		}
		if o.Has("sha512") {
			p.Printf("SHA2-512(stdin)= %x\n", sha512.Sum512(data))
		} else {
			p.Printf("SHA2-256(stdin)= %x\n", sha256.Sum256(data))
		}
		return 0
	}
	return p.Fail(1, "the simulator's model has no %q", sub)
}

// input reads a file, or standard input without a name.
func input(p *guest.Process, name string) ([]byte, int) {
	if name == "" {
		name = "/dev/stdin"
	}
	f, err := p.Open(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, p.Fail(1, "Could not open file or uri from %s: %s", name, guest.Reason(err))
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, 1
	}
	return data, 0
}

func output(p *guest.Process, name, text string) int {
	if name == "" {
		p.Print(text)
		return 0
	}
	if err := p.FS().WriteFile(p.Cred, p.Path(name), text, 0o644); err != nil {
		return p.Fail(1, "%s: %s", name, guest.Reason(err))
	}
	return 0
}

func opensslX509(p *guest.Process, o option.Set) int {
	data, code := input(p, o.Value("in"))
	if code != 0 {
		return code
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return p.Fail(1, "Could not find certificate from %s", o.Or("in", "<stdin>"))
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return p.Fail(1, "unable to load certificate: %v", err)
	}
	const layout = "Jan _2 15:04:05 2006 GMT"
	if o.Has("enddate") || o.Has("dates") {
		p.Print("notAfter=" + cert.NotAfter.UTC().Format(layout) + "\n")
	}
	switch ext := o.Value("ext"); ext {
	case "":
	case "subjectAltName":
		var names []string
		for _, name := range cert.DNSNames {
			names = append(names, "DNS:"+name)
		}
		for _, address := range cert.IPAddresses {
			names = append(names, "IP Address:"+address.String())
		}
		p.Print("X509v3 Subject Alternative Name: \n    " + strings.Join(names, ", ") + "\n")
	default:
		return p.Fail(1, "the simulator's model knows only -ext subjectAltName, not %s", ext)
	}
	if o.Has("pubkey") {
		der, err := x509.MarshalPKIXPublicKey(cert.PublicKey)
		if err != nil {
			return p.Fail(1, "%v", err)
		}
		p.Print(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	}
	if !o.Has("noout") {
		p.Print(string(pem.EncodeToMemory(block)))
	}
	if o.Has("checkend") {
		sec, _ := strconv.Atoi(o.Value("checkend"))
		if p.Kernel.Clock().Unix()+int64(sec) > cert.NotAfter.Unix() {
			p.Print("Certificate will expire\n")
			return 1
		}
		p.Print("Certificate will not expire\n")
	}
	return 0
}

func opensslPkey(p *guest.Process, o option.Set) int {
	data, code := input(p, o.Value("in"))
	if code != 0 {
		return code
	}
	block, _ := pem.Decode(data)
	if block == nil || !o.Has("pubin") {
		return p.Fail(1, "Could not find public key from %s (the simulator's model reads public keys only)", o.Or("in", "<stdin>"))
	}
	if strings.EqualFold(o.Value("outform"), "DER") {
		return output(p, o.Value("out"), string(block.Bytes))
	}
	return output(p, o.Value("out"), string(pem.EncodeToMemory(block)))
}

// gpg knows --dearmor and --show-keys.
func gpg(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "batch yes q,quiet dearmor o,output: import show-keys with-colons homedir:", option.GNU)
	if !ok {
		return usage
	}
	name := ""
	if len(o.Args) > 0 {
		name = o.Args[0]
	}
	data, code := input(p, name)
	if code != 0 {
		return usage
	}
	if !strings.Contains(string(data), "BEGIN PGP PUBLIC KEY BLOCK") {
		return p.Fail(usage, "no valid OpenPGP data found.")
	}
	switch {
	case o.Has("dearmor"):
		if out := o.Value("o"); out != "" && !o.Has("yes") {
			if _, err := p.FS().Stat(p.Cred, p.Path(out)); err == nil {
				return p.Fail(usage, "File '%s' exists; and no terminal to ask whether to overwrite it", out)
			}
		}
		// A binary key begins otherwise, which is how apt tells the two apart.
		return output(p, o.Value("o"), "\x99\x02"+strings.ReplaceAll(string(data), "-----", ""))
	case o.Has("show-keys"), o.Has("import"):
		for line := range strings.Lines(string(data)) {
			owner, ok := strings.CutPrefix(line, "Comment: simulated key of ")
			switch {
			case ok && o.Has("with-colons"):
				p.Printf("pub:-:2048:1::0:::-:\nfpr:::::::::%s:\nuid:-::::0::::%s", fingerprint(strings.TrimSpace(owner)), owner)
			case ok:
				p.Print("pub   simulated\nuid                      " + owner)
			}
		}
		return 0
	}
	return p.Fail(usage, "the simulator's model has only --dearmor and --show-keys")
}

// fingerprint is that of the key of a host that serves packages: the one that the real host's key has, so that scripts
// which know it find it here too. Whatever else is signed has a made-up one.
func fingerprint(owner string) string {
	for _, s := range catalogue.All().Sources {
		if s.Key != nil && s.Key.Fingerprint != "" && strings.HasPrefix(s.URL, "https://"+owner) {
			return s.Key.Fingerprint
		}
	}
	sum := sha256.Sum256([]byte(owner))
	return strings.ToUpper(hex.EncodeToString(sum[:20]))
}
