package service

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"podium/provision/machine/sim/guest"
)

// proxyConfig is haproxy.cfg as far as the model reads it: ports that lead to servers.
type proxyConfig struct {
	binds map[int]string      // port: backend
	back  map[string]*backend // by name
}

type backend struct {
	servers []string // host:port
	check   string   // path that a server must answer with 200; empty: none is asked
	turn    atomic.Int64
}

// proxyWords are the keywords of sections that the model bears; most of them change nothing in it.
func proxyWords() []string {
	return strings.Fields("log user group daemon chroot stats maxconn mode option retries timeout bind default_backend use_backend balance " +
		"http-check default-server server ca-base crt-base ssl-default-bind-ciphers ssl-default-bind-options errorfile description")
}

func readProxy(text string) (*proxyConfig, error) {
	c := &proxyConfig{binds: map[int]string{}, back: map[string]*backend{}}
	section, name := "", ""
	var ports []int
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		bad := func(format string, args ...any) error {
			return fmt.Errorf("config : parsing [/etc/haproxy/haproxy.cfg:%d] : %s", i+1, fmt.Sprintf(format, args...))
		}
		switch words[0] {
		case "global", "defaults", "frontend", "backend", "listen":
			section, name, ports = words[0], strings.Join(words[1:], " "), nil
			if section == "backend" || section == "listen" {
				c.back[name] = &backend{}
			}
			continue
		}
		if section == "" || !slices.Contains(proxyWords(), words[0]) {
			return nil, bad("unknown keyword '%s' in '%s' section", words[0], section)
		}
		switch words[0] {
		case "bind":
			n, err := port(strings.Join(words[1:2], ""), 0)
			if err != nil || n == 0 {
				return nil, bad("'bind' : missing port number in '%s'", strings.Join(words[1:], " "))
			}
			ports = append(ports, n)
			c.binds[n] = name
		case "default_backend":
			for _, n := range ports {
				c.binds[n] = strings.Join(words[1:2], "")
			}
		case "http-check":
			if i := slices.Index(words, "uri"); i > 0 && i+1 < len(words) && c.back[name] != nil {
				c.back[name].check = words[i+1]
			}
		case "server":
			if len(words) < 3 || c.back[name] == nil {
				return nil, bad("'server' expects <name> and <addr>[:<port>] as arguments.")
			}
			c.back[name].servers = append(c.back[name].servers, words[2])
		}
	}
	for n, name := range c.binds {
		if c.back[name] == nil {
			return nil, fmt.Errorf("config : proxy on port %d: unable to find required default_backend: '%s'.", n, name) //nolint:staticcheck // haproxy's own words
		}
	}
	return c, nil
}

// haproxy hands each connection to the next server that works.
func haproxy(ctx context.Context, p *guest.Process) int {
	file, checkOnly := "/etc/haproxy/haproxy.cfg", false
	for i, a := range p.Args[1:] {
		switch {
		case a == "-v":
			p.Printf("HAProxy version %s (simulated)\n", p.Version)
			return 0
		case a == "-c":
			checkOnly = true
		case a == "-f" && i+2 < len(p.Args):
			file = p.Args[i+2]
		}
	}
	text, err := p.FS().ReadFile(p.Cred, file)
	if err != nil {
		p.Errorf("[ALERT]    (%d) : Could not open file %s : %s", p.PID, file, guest.Reason(err))
		return 1
	}
	c, err := readProxy(text)
	if err != nil {
		p.Errorf("[ALERT]    (%d) : %v\n[ALERT]    (%d) : config : Fatal errors found in configuration.", p.PID, err, p.PID)
		return 1
	}
	if checkOnly {
		if !slices.Contains(p.Args, "-q") {
			p.Print("Configuration file is valid\n")
		}
		return 0
	}
	for n, name := range c.binds {
		stop, err := p.Kernel.Listen(n, &forward{m: p.Machine(), to: c.back[name]})
		if err != nil {
			p.Errorf("[ALERT]    (%d) : Starting frontend: cannot bind socket (Address already in use) [0.0.0.0:%d]", p.PID, n)
			return 1
		}
		defer stop()
	}
	p.Ready()
	<-ctx.Done()
	return 0
}

// forward is a port of haproxy.
type forward struct {
	m  *guest.Machine
	to *backend
}

// Serve asks the servers in turn. Whether one works is found out when it is asked, not each second.
func (f *forward) Serve(ctx context.Context, r guest.Request) guest.Response {
	start := int(f.to.turn.Add(1))
	for i := range f.to.servers {
		host, portText, err := net.SplitHostPort(f.to.servers[(start+i)%len(f.to.servers)])
		if err != nil {
			continue
		}
		n, err := strconv.Atoi(portText)
		if err != nil {
			continue
		}
		h, err := f.m.Net.Dial(ctx, f.m, host, n)
		if err != nil {
			continue
		}
		if f.to.check != "" && h.Serve(ctx, guest.Request{From: f.m, Method: "GET", Host: host, Path: f.to.check}).Code != 200 {
			continue
		}
		return h.Serve(ctx, r)
	}
	return guest.Response{Code: 503, Body: "no server is available (simulated haproxy; a real one closes the connection)\n"}
}
