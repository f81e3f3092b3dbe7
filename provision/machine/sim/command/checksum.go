package command

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"io"
	"os"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func checksum(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "c,check b,binary t,text s,status q,quiet ignore-missing w,warn", option.GNU)
	if !ok {
		return usage
	}
	sums := map[string]func() hash.Hash{"sha256sum": sha256.New, "md5sum": md5.New, "sha1sum": sha1.New, "sha512sum": sha512.New}
	newHash := sums[p.Exe]
	sum := func(r io.Reader) (string, error) {
		h := newHash()
		_, err := io.Copy(h, struct{ io.Reader }{r})
		return hex.EncodeToString(h.Sum(nil)), err
	}
	if !o.Has("c") {
		return inputs(p, o.Args, func(name string, r io.Reader) error {
			s, err := sum(r)
			if err == nil {
				p.Printf("%s  %s\n", s, name)
			}
			return err
		})
	}
	bad, checked := 0, 0
	list, code := gather(p, o.Args)
	for _, line := range list {
		want, name, ok := strings.Cut(line, " ")
		if !ok {
			continue
		}
		name = strings.TrimLeft(name, " *")
		f, err := p.Open(name, os.O_RDONLY, 0)
		if err != nil {
			if !o.Has("ignore-missing") {
				p.Errorf("%s: %s: %s", p.Exe, name, guest.Reason(err))
				p.Printf("%s: FAILED open or read\n", name)
				bad++
			}
			continue
		}
		got, err := sum(f)
		f.Close()
		checked++
		switch {
		case err != nil || got != want:
			bad++
			if !o.Has("s") {
				p.Printf("%s: FAILED\n", name)
			}
		case !o.Has("q") && !o.Has("s"):
			p.Printf("%s: OK\n", name)
		}
	}
	if bad > 0 && !o.Has("s") {
		p.Errorf("%s: WARNING: %d computed checksum did NOT match", p.Exe, bad)
	}
	if checked == 0 && bad == 0 {
		p.Errorf("%s: no file was verified", p.Exe)
		return 1
	}
	return max(code, b2i(bad > 0))
}
