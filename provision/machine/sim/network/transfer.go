package network

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

// curlError is a failure with curl's exit code.
type curlError struct {
	code int
	text string
}

func (e *curlError) Error() string { return e.text }

// transfer is one URL.
type transfer struct {
	p         *guest.Process
	o         option.Set
	user, url string
	index     int
}

func (t *transfer) run(ctx context.Context) error {
	if limit := t.o.Value("m"); limit != "" {
		sec, err := strconv.ParseFloat(limit, 64)
		if err != nil {
			return &curlError{2, "option --max-time: expected a proper numerical parameter"}
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(sec*float64(time.Second)))
		defer cancel()
	}
	tries, _ := strconv.Atoi(t.o.Value("retry"))
	delay, _ := strconv.Atoi(t.o.Or("retry-delay", "1"))
	for {
		r, err := t.fetch(ctx)
		var ce *curlError
		again := err != nil && errors.As(err, &ce) && (ce.code == 56 || ce.code == 18 || ce.code == 28 || ce.code == 6 || ce.code == 7 && t.o.Has("retry-connrefused") || t.o.Has("retry-all-errors")) ||
			err == nil && (r.Code == 408 || r.Code == 429 || r.Code >= 500)
		if again && tries > 0 && ctx.Err() == nil {
			tries--
			if t.p.Machine().Faults != nil && delay > 0 {
				timer := time.NewTimer(time.Duration(delay) * time.Second)
				select {
				case <-timer.C:
				case <-ctx.Done():
				}
				timer.Stop()
			}
			continue
		}
		if err != nil {
			t.writeOut(guest.Response{})
			return err
		}
		return t.deliver(r)
	}
}

// fetch makes the request; an answer of any code is no error.
func (t *transfer) fetch(ctx context.Context) (guest.Response, error) {
	u, _, _ := strings.Cut(t.url, "#")
	if !strings.Contains(u, "://") {
		u = "http://" + u
	}
	m := t.p.Machine()
	if err := m.Faults.Download(m, u); err != nil && !strings.Contains(u, "://127.") && !strings.Contains(u, "://localhost") && !strings.Contains(u, "://"+m.Hardware.Address) {
		return guest.Response{}, &curlError{56, "Recv failure: Connection reset by peer (" + err.Error() + ")"}
	}
	scheme, rest, _ := strings.Cut(u, "://")
	if scheme != "http" && scheme != "https" {
		return guest.Response{}, &curlError{1, "Protocol \"" + scheme + "\" not supported"}
	}
	host, file, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		t.user, host = host[:at], host[at+1:]
	}
	name, port := host, map[string]int{"http": 80, "https": 443}[scheme]
	if i := strings.LastIndexByte(host, ':'); i > 0 && !strings.HasSuffix(host, "]") {
		name = host[:i]
		var err error
		if port, err = strconv.Atoi(host[i+1:]); err != nil {
			return guest.Response{}, &curlError{3, "URL rejected: Port number was not a decimal number between 0 and 65535"}
		}
	}
	req := guest.Request{From: m, Method: "GET", Host: host, Path: "/" + file, Header: map[string]string{}}
	if err := t.fill(&req); err != nil {
		return guest.Response{}, err
	}
	if proxy := t.proxy(scheme, name); proxy != "" {
		req.Path = u
		name, port = proxyAddress(proxy)
	}
	h, err := m.Net.Dial(ctx, m, name, port)
	if err != nil {
		return guest.Response{}, dialError(err, name, port)
	}
	if err := t.admitted(h); err != nil {
		return guest.Response{}, err
	}
	r := h.Serve(ctx, req)
	if ctx.Err() != nil {
		return r, &curlError{28, "Operation timed out"}
	}
	return r, nil
}

// admitted shows the client's certificate to a server that asks for one.
func (t *transfer) admitted(h guest.Handler) error {
	g, ok := h.(guest.Guarded)
	if !ok {
		return nil
	}
	cert := ""
	if file := t.o.Value("cert"); file != "" {
		var err error
		if cert, err = t.p.FS().ReadFile(t.p.Cred, t.p.Path(file)); err != nil {
			return &curlError{58, "could not load PEM client certificate from " + file}
		}
	}
	if err := g.Admit(cert); err != nil {
		return &curlError{56, "OpenSSL SSL_read: " + err.Error()}
	}
	return nil
}

func dialError(err error, name string, port int) error {
	var unknown interface{ NotFound() bool }
	if errors.As(err, &unknown) && unknown.NotFound() {
		return &curlError{6, "Could not resolve host: " + name}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &curlError{28, "Connection timed out"}
	}
	return &curlError{7, fmt.Sprintf("Failed to connect to %s port %d after 0 ms: Couldn't connect to server", name, port)}
}

// fill adds method, headers and body.
func (t *transfer) fill(req *guest.Request) error {
	o := t.o
	for _, h := range o.Values("H") {
		k, v, _ := strings.Cut(h, ":")
		req.Header[strings.TrimSpace(k)] = strings.TrimSpace(v)
	}
	if t.user != "" {
		req.Header["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(t.user))
	}
	for _, key := range []string{"d", "data-raw", "data-binary"} {
		for _, d := range o.Values(key) {
			if file, ok := strings.CutPrefix(d, "@"); ok && key != "data-raw" {
				if file == "-" {
					file = "/dev/stdin"
				}
				f, err := t.p.Open(file, os.O_RDONLY, 0)
				if err != nil {
					return &curlError{26, "Failed to open " + file}
				}
				text, err := io.ReadAll(f)
				f.Close()
				if err != nil {
					return &curlError{26, "Failed to read " + file}
				}
				d = string(text)
			}
			req.Body += d
			req.Method = "POST"
		}
	}
	return nil
}

// proxy is the proxy for a host, from the options and the environment.
func (t *transfer) proxy(scheme, host string) string {
	proxy := t.p.Getenv(scheme + "_proxy")
	if proxy == "" && scheme == "https" {
		proxy = t.p.Getenv("HTTPS_PROXY")
	}
	if proxy == "" {
		return ""
	}
	none := t.o.Or("noproxy", t.p.Getenv("no_proxy"))
	for _, n := range strings.FieldsFunc(none, func(r rune) bool { return r == ',' || r == ' ' }) {
		if n == "*" || n == host || strings.HasSuffix(host, "."+strings.TrimPrefix(n, ".")) {
			return ""
		}
	}
	return proxy
}

func proxyAddress(proxy string) (string, int) {
	_, rest, ok := strings.Cut(proxy, "://")
	if !ok {
		rest = proxy
	}
	rest = rest[strings.LastIndex(rest, "@")+1:] // after user and password
	host, port, _ := strings.Cut(strings.TrimRight(rest, "/"), ":")
	n, err := strconv.Atoi(port)
	if err != nil {
		n = 1080
	}
	return host, n
}

// deliver writes the answer where it belongs.
func (t *transfer) deliver(r guest.Response) error {
	o, p := t.o, t.p
	if r.Code >= 400 && o.Has("f") {
		t.writeOut(r)
		return &curlError{22, fmt.Sprintf("The requested URL returned error: %d", r.Code)}
	}
	body := r.Body
	name := ""
	if outs := o.Values("o"); len(outs) > t.index {
		name = outs[t.index]
	}
	if name == "" || name == "-" {
		if _, err := io.WriteString(p.Stdout(), body); err != nil {
			return &curlError{23, "Failure writing output to destination"}
		}
		t.writeOut(r)
		return nil
	}
	if dir := o.Value("output-dir"); dir != "" {
		name = dir + "/" + name
	}
	flag := os.O_TRUNC
	if o.Has("C") {
		if info, err := p.FS().Stat(p.Cred, p.Path(name)); err == nil && info.Size() > 0 {
			if info.Size() >= int64(len(body)) {
				t.writeOut(guest.Response{Code: 416})
				return &curlError{22, "The requested URL returned error: 416"}
			}
			body = body[info.Size():]
			flag = os.O_APPEND
		}
	}
	f, err := p.Open(name, os.O_WRONLY|os.O_CREATE|flag, 0o666)
	if err == nil {
		_, err = io.WriteString(f, body)
		f.Close()
	}
	if err != nil {
		t.writeOut(r)
		return &curlError{23, "Failure writing output to destination, passed " + strconv.Itoa(len(body)) + " returned 0"}
	}
	t.writeOut(r)
	return nil
}

func (t *transfer) writeOut(r guest.Response) {
	format := t.o.Value("w")
	if format == "" {
		return
	}
	t.p.Print(strings.NewReplacer("%{http_code}", fmt.Sprintf("%03d", r.Code), "%{response_code}", fmt.Sprintf("%03d", r.Code),
		"%{size_download}", strconv.Itoa(len(r.Body)), "%{time_total}", "0.001", "%{url_effective}", t.url, `\n`, "\n", `\t`, "\t").Replace(format))
}
