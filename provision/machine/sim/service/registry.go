package service

import (
	"context"
	"strings"

	"go.yaml.in/yaml/v3"

	"podium/provision/machine/sim/guest"
)

// registry is the distribution's docker-registry; it holds nothing.
func registry(ctx context.Context, p *guest.Process) int {
	if len(p.Args) != 3 || p.Args[1] != "serve" {
		return p.Fail(1, "the simulator's model has only: docker-registry serve FILE")
	}
	text, err := p.FS().ReadFile(p.Cred, p.Args[2])
	if err != nil {
		return p.Fail(1, "configuration error: open %s: %s", p.Args[2], guest.Reason(err))
	}
	var c struct {
		Version string
		Storage struct {
			Filesystem struct{ Rootdirectory string }
		}
		HTTP struct{ Addr string }
	}
	if err := yaml.Unmarshal([]byte(text), &c); err != nil || c.Version == "" || c.Storage.Filesystem.Rootdirectory == "" {
		return p.Fail(1, "configuration error: error parsing %s: %v", p.Args[2], err)
	}
	n, err := port(c.HTTP.Addr, 5000)
	if err != nil {
		return p.Fail(1, "%v", err)
	}
	return serve(ctx, p, n, guest.HandlerFunc(func(_ context.Context, r guest.Request) guest.Response {
		switch {
		case r.Path == "/v2/":
			return guest.Response{Code: 200, Body: "{}"}
		case strings.HasPrefix(r.Path, "/v2/_catalog"):
			return guest.Response{Code: 200, Body: "{\"repositories\":[]}\n"}
		}
		return guest.Response{Code: 404, Body: "{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}\n"}
	}))
}
