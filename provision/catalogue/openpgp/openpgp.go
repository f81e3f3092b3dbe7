// Package openpgp reads public keys far enough to tell whose they are and how long they hold: fingerprints and dates of
// the keys in a file such as Release.key, after RFC 9580 (version 4 of keys, which the signers of package archives use).
//
// It verifies no signature. A fingerprint is the hash of the key itself, so that nobody can give another key that name;
// the dates come from the key's signatures of itself, and a forger deceives about a date, not about a key.
// Signatures of packages are apt's affair. For this little a whole OpenPGP library would be a large dependency.
package openpgp

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Key is a primary key with what its own signatures say of it.
type Key struct {
	Fingerprint string    // 40 hexadecimal digits, capitals
	User        string    // its first user ID
	Created     time.Time // to the second, UTC
	Expires     time.Time // when nothing of it can sign any more; zero: never
	Revoked     bool
}

// MaxSize is how long a file of keys may be, in bytes. The largest of an archive has some ten thousand.
const MaxSize = 1 << 20

// The packets and signatures that matter; RFC 9580, sections 5 and 5.2.1.
const (
	packetSignature    = 2
	packetKey          = 6
	packetUser         = 13
	packetSubkey       = 14
	signatureUserFirst = 0x10 // the four kinds of signature of a user ID
	signatureUserLast  = 0x13
	signatureSubkey    = 0x18
	signatureDirect    = 0x1f
	signatureRevokes   = 0x20
	signatureRevokeSub = 0x28
	maySign            = 0x02 // key flag
)

// ErrNoKey is the error of a file without a public key in it.
var ErrNoKey = errors.New("no OpenPGP public key")

// ReadKeys reads all primary keys of a file, armoured or binary.
func ReadKeys(text []byte) ([]Key, error) {
	if len(text) > MaxSize {
		return nil, fmt.Errorf("%d bytes are more than a file of keys can have", len(text))
	}
	binary, err := dearmor(text)
	if err != nil {
		return nil, err
	}
	var keys []*reading
	for len(binary) > 0 {
		tag, body, rest, err := nextPacket(binary)
		if err != nil {
			return nil, err
		}
		binary = rest
		if tag == packetKey {
			k, err := publicKey(body)
			if err != nil {
				return nil, err
			}
			keys = append(keys, &reading{key: k})
		} else if len(keys) > 0 {
			if err := keys[len(keys)-1].take(tag, body); err != nil {
				return nil, err
			}
		}
	}
	if len(keys) == 0 {
		return nil, ErrNoKey
	}
	done := make([]Key, len(keys))
	for i, r := range keys {
		done[i] = r.done()
	}
	return done, nil
}

// reading is a primary key while its packets come.
type reading struct {
	key     Key
	own     dates // of the primary key
	subkeys []*dates
}

// dates is what the newest signature of a key says of it.
type dates struct {
	created  time.Time
	signed   time.Time // of that signature
	lifetime uint32    // seconds; 0: no end
	signs    bool      // it may sign data
	revoked  bool
}

func (d dates) end() time.Time {
	if d.lifetime == 0 {
		return time.Time{}
	}
	return d.created.Add(time.Duration(d.lifetime) * time.Second)
}

// take reads one more packet that belongs to the key.
func (r *reading) take(tag int, body []byte) error {
	switch tag {
	case packetUser:
		if r.key.User == "" {
			r.key.User = strings.ToValidUTF8(string(body), "?")
		}
	case packetSubkey:
		k, err := publicKey(body)
		if err != nil {
			return err
		}
		r.subkeys = append(r.subkeys, &dates{created: k.Created})
	case packetSignature:
		s, ok := readSignature(body)
		if ok && strings.HasSuffix(r.key.Fingerprint, s.issuer) {
			r.sign(s)
		}
	}
	return nil
}

// sign applies a signature that the key made itself.
func (r *reading) sign(s signature) {
	switch {
	case s.kind == signatureRevokes:
		r.own.revoked = true
	case s.kind >= signatureUserFirst && s.kind <= signatureUserLast, s.kind == signatureDirect:
		r.own.created = r.key.Created
		r.own.update(s)
	case len(r.subkeys) == 0:
	case s.kind == signatureRevokeSub:
		r.subkeys[len(r.subkeys)-1].revoked = true
	case s.kind == signatureSubkey:
		r.subkeys[len(r.subkeys)-1].update(s)
	}
}

// update takes over what a newer signature says.
func (d *dates) update(s signature) {
	if s.made.Before(d.signed) {
		return
	}
	d.signed, d.lifetime = s.made, s.lifetime
	d.signs = s.flags&maySign != 0
}

// done is the key when all its packets are read: it holds until the last of what may sign has ended, and not longer than
// the primary key itself.
func (r *reading) done() Key {
	k := r.key
	k.Revoked = r.own.revoked
	var last time.Time
	forever, any := false, false
	for _, d := range append(r.subkeys, &r.own) {
		if !d.signs || d.revoked {
			continue
		}
		any = true
		if end := d.end(); end.IsZero() {
			forever = true
		} else if end.After(last) {
			last = end
		}
	}
	k.Expires = r.own.end()
	if any && !forever && (k.Expires.IsZero() || last.Before(k.Expires)) {
		k.Expires = last
	}
	return k
}

// publicKey reads the body of a key packet.
func publicKey(body []byte) (Key, error) {
	if len(body) < 6 {
		return Key{}, errors.New("a key of an OpenPGP file is cut off")
	}
	if body[0] != 4 {
		return Key{}, fmt.Errorf("a key of version %d of OpenPGP, and podium knows version 4", body[0])
	}
	if len(body) > 0xffff {
		return Key{}, errors.New("a key of an OpenPGP file is too long")
	}
	h := sha1.New() // that is how version 4 names its keys
	h.Write([]byte{0x99, byte(len(body) >> 8), byte(len(body))})
	h.Write(body)
	return Key{
		Fingerprint: strings.ToUpper(hex.EncodeToString(h.Sum(nil))),
		Created:     time.Unix(int64(binary.BigEndian.Uint32(body[1:5])), 0).UTC(),
	}, nil
}

const (
	armorBegin = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
	armorEnd   = "-----END PGP PUBLIC KEY BLOCK-----"
)

// dearmor gives the binary form of a file: of all armoured blocks in it, or of itself.
func dearmor(text []byte) ([]byte, error) {
	if !bytes.Contains(text, []byte(armorBegin)) {
		if len(text) == 0 || text[0]&0x80 == 0 {
			return nil, ErrNoKey // each packet begins with that bit
		}
		return text, nil
	}
	var all []byte
	for rest := string(text); ; {
		_, block, found := strings.Cut(rest, armorBegin)
		if !found {
			return all, nil
		}
		block, after, closed := strings.Cut(block, armorEnd)
		if !closed {
			return nil, errors.New("the armoured key is cut off")
		}
		part, err := base64.StdEncoding.DecodeString(armored(block))
		if err != nil {
			return nil, fmt.Errorf("the armoured key is damaged: %w", err)
		}
		all, rest = append(all, part...), after
	}
}

// armored is the base64 text of a block: without its headers ("Version: ...", up to an empty line) and its checksum.
func armored(block string) string {
	var b strings.Builder
	for line := range strings.Lines(block) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, ": ") || strings.HasPrefix(line, "=") {
			continue
		}
		b.WriteString(line)
	}
	return b.String()
}
