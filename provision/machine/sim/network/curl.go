package network

import (
	"context"
	"errors"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

const curlOptions = "f,fail S,show-error s,silent L,location o,output: H,header: d,data: u,user: " +
	"k,insecure connect-timeout: m,max-time: retry: retry-delay: retry-connrefused retry-all-errors w,write-out: noproxy: " +
	"speed-limit,Y: speed-time,y: C,continue-at: K,config: cacert: cert: key: " +
	"fail-with-body proto: tlsv1.2 create-dirs g,globoff unix-socket: resolve: e,referer: N,no-buffer progress-bar,# max-redirs: output-dir: z,time-cond: J,remote-header-name " +
	"data-urlencode: T,upload-file: fail-early parallel,Z parallel-max: remote-time,R tr-encoding no-progress-meter http1.1 styled-output?"

func curl(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, curlOptions, option.GNU)
	if !ok {
		return 2
	}
	user := o.Value("u")
	urls := o.Args
	for _, file := range o.Values("K") {
		extra, code := curlConfig(p, file)
		if code != 0 {
			return code
		}
		if extra["user"] != "" {
			user = extra["user"]
		}
		if extra["url"] != "" {
			urls = append(urls, extra["url"])
		}
	}
	if len(urls) == 0 {
		p.Errorf("curl: no URL specified!\ncurl: try 'curl --help' for more information")
		return 2
	}
	code := 0
	for i, u := range urls {
		for range times(u) {
			c := &transfer{p: p, o: o, user: user, url: u, index: i}
			if err := c.run(ctx); err != nil {
				var ce *curlError
				if !errors.As(err, &ce) {
					return 1
				}
				code = ce.code
				if !o.Has("s") || o.Has("S") {
					p.Errorf("curl: (%d) %s", ce.code, ce.text)
				}
			}
		}
	}
	return code
}

// repeated is a URL that ends in "#[1-N]": the same request N times. Other globs are not in the model.
var repeated = regexp.MustCompile(`#\[1-(\d+)\]$`)

// times is how often a URL is asked.
func times(url string) int {
	if m := repeated.FindStringSubmatch(url); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return 1
}

// curlConfig reads a file of options: only user and url.
func curlConfig(p *guest.Process, file string) (map[string]string, int) {
	var r io.Reader = p.Stdin()
	if file != "-" {
		f, err := p.Open(file, os.O_RDONLY, 0)
		if err != nil {
			p.Errorf("curl: cannot read config from '%s'", file)
			return nil, 26
		}
		defer f.Close()
		r = f
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, 26
	}
	values := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, _ := strings.Cut(strings.TrimLeft(line, "-"), " ")
		value = strings.Trim(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(value), "=")), `"`)
		if key != "user" && key != "url" {
			p.Errorf("curl: the simulator's model knows only user and url in a config file, not: %s", key)
			return nil, 2
		}
		values[key] = value
	}
	return values, 0
}

// Get fetches a URL for another model, without a proxy.
func Get(ctx context.Context, m *guest.Machine, url string) (guest.Response, error) {
	scheme, rest, _ := strings.Cut(url, "://")
	host, file, _ := strings.Cut(rest, "/")
	name, port := host, map[string]int{"http": 80, "https": 443}[scheme]
	if i := strings.LastIndexByte(host, ':'); i > 0 {
		name = host[:i]
		port, _ = strconv.Atoi(host[i+1:])
	}
	if err := m.Faults.Download(m, url); err != nil {
		return guest.Response{}, err
	}
	h, err := m.Net.Dial(ctx, m, name, port)
	if err != nil {
		return guest.Response{}, err
	}
	return h.Serve(ctx, guest.Request{From: m, Method: "GET", Host: host, Path: "/" + file}), nil
}
