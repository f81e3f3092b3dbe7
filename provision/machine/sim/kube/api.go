package kube

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
)

// apiServer listens on port 6443 of a control plane.
type apiServer struct{ c *Cluster }

// hello is the message by which a client of the model asks for a cluster.
type hello struct{ cluster string } // its id; empty: a node that joins

// Serve answers clients of the model, and plain HTTP.
func (s *apiServer) Serve(_ context.Context, r guest.Request) guest.Response {
	if h, ok := r.Message.(hello); ok {
		s.c.mu.Lock()
		defer s.c.mu.Unlock()
		switch {
		case h.cluster != "" && h.cluster != s.c.ID:
			return guest.Response{Code: 495, Reply: errOther}
		case !s.c.serving():
			return guest.Response{Code: 504, Reply: errQuorum}
		}
		return guest.Response{Code: 200, Reply: s.c}
	}
	s.c.mu.Lock()
	ok := s.c.serving()
	s.c.mu.Unlock()
	switch path, _, _ := strings.Cut(r.Path, "?"); path {
	case "/healthz", "/readyz", "/livez":
		if ok {
			return guest.Response{Code: 200, Body: "ok"}
		}
		return guest.Response{Code: 500, Body: "[-]etcd failed: reason withheld\nhealthz check failed\n"}
	case "/version":
		text, _ := json.Marshal(map[string]string{"gitVersion": s.c.Version, "platform": "linux/amd64", "simulated": "yes"})
		return guest.Response{Code: 200, Body: string(text)}
	}
	return guest.Response{Code: 403, Body: "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Forbidden\"}\n"}
}

// dial asks the API server at host:port for its cluster.
func dial(ctx context.Context, m *guest.Machine, server, cluster string) (*Cluster, error) {
	host, port, _ := strings.Cut(server, ":")
	n, err := strconv.Atoi(port)
	if err != nil {
		n = 6443
	}
	h, err := m.Net.Dial(ctx, m, host, n)
	if err != nil {
		var unknown interface{ NotFound() bool }
		if errors.As(err, &unknown) && unknown.NotFound() {
			return nil, fmt.Errorf("dial tcp: lookup %s: no such host", host)
		}
		return nil, fmt.Errorf("dial tcp %s: connect: %s", server, strings.ToLower(err.Error()))
	}
	r := h.Serve(ctx, guest.Request{From: m, Host: server, Path: "/", Message: hello{cluster}})
	switch reply := r.Reply.(type) {
	case *Cluster:
		return reply, nil
	case error:
		return nil, reply
	}
	return nil, errors.New("server gave HTTP response to HTTPS client")
}

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
