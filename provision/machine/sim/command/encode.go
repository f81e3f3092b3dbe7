package command

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func base64Text(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "d,decode w,wrap: i,ignore-garbage", option.GNU)
	if !ok {
		return usage
	}
	wrap, err := strconv.Atoi(o.Or("w", "76"))
	if err != nil {
		return p.Fail(1, "invalid wrap size: ‘%s’", o.Value("w"))
	}
	return inputs(p, o.Args, func(_ string, r io.Reader) error {
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if o.Has("d") {
			text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(data)), ""))
			p.Print(string(text))
			if err != nil {
				return errors.New("invalid input")
			}
			return nil
		}
		text := base64.StdEncoding.EncodeToString(data)
		if wrap <= 0 {
			p.Print(text)
			return nil
		}
		for len(text) > 0 {
			n := min(wrap, len(text))
			p.Print(text[:n] + "\n")
			text = text[n:]
		}
		return nil
	})
}

func od(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "A,address-radix: t,format: N,read-bytes: v c x", option.GNU)
	if !ok {
		return usage
	}
	return inputs(p, o.Args, func(_ string, r io.Reader) error {
		limit, _ := strconv.ParseInt(o.Or("N", "65536"), 10, 64)
		data, err := io.ReadAll(io.LimitReader(r, limit))
		for i := 0; i < len(data); i += 16 {
			row := data[i:min(i+16, len(data))]
			if o.Value("A") != "n" {
				p.Printf("%07o", i)
			}
			for _, c := range row {
				p.Printf(" %02x", c)
			}
			p.Print("\n")
		}
		return err
	})
}
