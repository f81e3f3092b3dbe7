package command

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"podium/provision/catalogue"
	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func cryptos() guest.Programs {
	return guest.Programs{"openssl": openssl, "gpg": gpg, "ssh-keygen": sshKeygen, "file": fileCommand}
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
		o, ok := parse("hex base64 out:")
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
		} else if o.Has("base64") {
			text = base64.StdEncoding.EncodeToString(b) + "\n"
		}
		return output(p, o.Value("out"), text)
	case "x509":
		o, ok := parse("in: noout pubkey enddate startdate subject issuer checkend: fingerprint sha256 text dates inform: outform: serial ext:")
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
		o, ok := parse("pubin in: outform: inform: pubout out:")
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
	if o.Has("subject") {
		p.Print("subject=" + cert.Subject.String() + "\n")
	}
	if o.Has("issuer") {
		p.Print("issuer=" + cert.Issuer.String() + "\n")
	}
	const layout = "Jan _2 15:04:05 2006 GMT"
	if o.Has("startdate") || o.Has("dates") {
		p.Print("notBefore=" + cert.NotBefore.UTC().Format(layout) + "\n")
	}
	if o.Has("enddate") || o.Has("dates") {
		p.Print("notAfter=" + cert.NotAfter.UTC().Format(layout) + "\n")
	}
	if o.Has("fingerprint") {
		p.Printf("sha256 Fingerprint=%X\n", sha256.Sum256(cert.Raw))
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
	o, ok := option.Parse(p, "batch yes no-tty q,quiet dearmor o,output: import show-keys with-colons with-fingerprint fingerprint no-default-keyring keyring: homedir:", option.GNU)
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

func sshKeygen(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "A t: f: N: C: q b: l y", option.GNU)
	if !ok {
		return 1
	}
	if o.Has("A") {
		return 0
	}
	file := o.Value("f")
	if file == "" {
		return p.Fail(1, "the simulator's model needs -f FILE")
	}
	b := make([]byte, 32)
	rand.Read(b) //nolint:errcheck // never fails
	key := base64.StdEncoding.EncodeToString(b)
	if code := output(p, file, "-----BEGIN OPENSSH PRIVATE KEY-----\nsimulated"+key+"\n-----END OPENSSH PRIVATE KEY-----\n"); code != 0 {
		return code
	}
	p.FS().Chmod(p.Cred, p.Path(file), 0o600) //nolint:errcheck // just written
	return output(p, file+".pub", fmt.Sprintf("ssh-ed25519 AAAAsimulated%s %s\n", key, o.Value("C")))
}

func fileCommand(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "b,brief i,mime L", option.GNU)
	if !ok {
		return 1
	}
	for _, name := range o.Args {
		kind := "ASCII text"
		text, err := p.FS().ReadFile(p.Cred, p.Path(name))
		switch {
		case err != nil:
			kind = "cannot open (" + guest.Reason(err) + ")"
		case strings.HasPrefix(text, "\x7fELF"):
			kind = "ELF 64-bit LSB executable (simulated)"
		case strings.HasPrefix(text, "#!"):
			kind = "script, ASCII text executable"
		case text == "":
			kind = "empty"
		}
		if o.Has("b") {
			p.Print(kind + "\n")
		} else {
			p.Printf("%s: %s\n", name, kind)
		}
	}
	return 0
}
