package openpgp

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

var errCut = errors.New("an OpenPGP packet is cut off")

// nextPacket splits the first packet off; RFC 9580, section 4.2.
func nextPacket(data []byte) (tag int, body, rest []byte, err error) {
	first := data[0]
	if first&0x80 == 0 {
		return 0, nil, nil, fmt.Errorf("an OpenPGP packet cannot begin with %#02x", first)
	}
	var length, head int
	if first&0x40 != 0 {
		tag = int(first & 0x3f)
		length, head, err = newLength(data[1:])
		head++
	} else {
		tag = int(first >> 2 & 0x0f)
		size := 1 << (first & 3) // 1, 2 or 4 octets
		if size == 8 {
			return 0, nil, nil, errors.New("an OpenPGP packet has no length")
		}
		if len(data) < 1+size {
			return 0, nil, nil, errCut
		}
		for _, octet := range data[1 : 1+size] {
			length = length<<8 | int(octet)
		}
		head = 1 + size
	}
	if err != nil {
		return 0, nil, nil, err
	}
	if length < 0 || length > len(data)-head {
		return 0, nil, nil, errCut
	}
	return tag, data[head : head+length], data[head+length:], nil
}

// newLength reads a length of one, two or five octets, as packets of the new form and subpackets have it.
func newLength(data []byte) (length, octets int, err error) {
	switch {
	case len(data) > 0 && data[0] < 192:
		return int(data[0]), 1, nil
	case len(data) > 1 && data[0] < 224:
		return (int(data[0])-192)<<8 + int(data[1]) + 192, 2, nil
	case len(data) > 0 && data[0] >= 224 && data[0] < 255:
		return 0, 0, errors.New("an OpenPGP packet comes in parts, which keys never do")
	case len(data) > 4 && data[0] == 255:
		long := binary.BigEndian.Uint32(data[1:5])
		if long > MaxSize {
			return 0, 0, errCut
		}
		return int(long), 5, nil
	}
	return 0, 0, errCut
}

// signature is what counts of a signature packet.
type signature struct {
	kind     byte
	made     time.Time
	lifetime uint32 // of the key, in seconds; 0: no end
	flags    byte   // of the key
	issuer   string // last digits of the fingerprint of the key that made it
}

// The subpackets that count; RFC 9580, section 5.2.3.7.
const (
	subpacketMade        = 2
	subpacketLifetime    = 9
	subpacketIssuer      = 16
	subpacketFlags       = 27
	subpacketFingerprint = 33
)

// readSignature reads a signature of version 4; false for others, and for what is damaged.
func readSignature(body []byte) (signature, bool) {
	if len(body) < 6 || body[0] != 4 {
		return signature{}, false
	}
	s := signature{kind: body[1]}
	hashed, rest, ok := subpackets(body[4:])
	if !ok {
		return signature{}, false
	}
	unhashed, _, ok := subpackets(rest)
	if !ok {
		return signature{}, false
	}
	// Nothing vouches for what is not hashed; who made it may stand there.
	if !s.read(hashed, true) || !s.read(unhashed, false) || s.issuer == "" {
		return signature{}, false
	}
	return s, true
}

// subpackets splits off a list of subpackets with its length.
func subpackets(data []byte) (list, rest []byte, ok bool) {
	if len(data) < 2 {
		return nil, nil, false
	}
	length := int(binary.BigEndian.Uint16(data))
	if length > len(data)-2 {
		return nil, nil, false
	}
	return data[2 : 2+length], data[2+length:], true
}

func (s *signature) read(list []byte, hashed bool) bool {
	for len(list) > 0 {
		length, octets, err := subpacketLength(list)
		if err != nil || length == 0 || length > len(list)-octets {
			return false
		}
		kind, body := list[octets]&0x7f, list[octets+1:octets+length]
		list = list[octets+length:]
		switch {
		case kind == subpacketIssuer && len(body) == 8 && s.issuer == "", kind == subpacketFingerprint && len(body) == 21:
			s.issuer = strings.ToUpper(hex.EncodeToString(body))
			if kind == subpacketFingerprint {
				s.issuer = s.issuer[2:] // the key's version stands before it
			}
		case !hashed:
		case kind == subpacketMade && len(body) == 4:
			s.made = time.Unix(int64(binary.BigEndian.Uint32(body)), 0).UTC()
		case kind == subpacketLifetime && len(body) == 4:
			s.lifetime = binary.BigEndian.Uint32(body)
		case kind == subpacketFlags && len(body) > 0:
			s.flags = body[0]
		}
	}
	return true
}

// subpacketLength is newLength, but that two octets reach further: subpackets come in no parts.
func subpacketLength(data []byte) (length, octets int, err error) {
	if len(data) > 1 && data[0] >= 224 && data[0] < 255 {
		return (int(data[0])-192)<<8 + int(data[1]) + 192, 2, nil
	}
	return newLength(data)
}
