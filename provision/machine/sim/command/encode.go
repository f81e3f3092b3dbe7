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
	o, ok := option.Parse(p, "d,decode w,wrap:", option.GNU)
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
