package check

import (
	_ "embed"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"podium/provision/remote"
	"podium/provision/wording"
)

//go:embed network.go
var networkSource string

// HTTP asks for what a URL answers, as a node reaches it. http://NAME.NAMESPACE.svc is a Service of the lab's cluster.
type HTTP struct {
	URL      string `yaml:"url" jsonschema:"required"` // such as http://localhost:8080/
	Host     string `yaml:"host,omitempty"`            // the header Host, where it is another name than the URL's
	Status   Value  `yaml:"status,omitempty"`          // without it, 200; none: nothing may answer
	Body     *Match `yaml:"body,omitempty"`            // what it answers; the first 512 KiB of it
	Header   *Match `yaml:"header,omitempty"`          // its header, a NAME: VALUE a line
	Insecure bool   `yaml:"insecure,omitempty"`        // true: any certificate will do
}

// Faults checks the fields.
func (h *HTTP) Faults() []Fault {
	all := missing("url", h.URL, "http://localhost:8080/")
	if u, err := url.Parse(h.URL); h.URL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "") {
		all = append(all, Fault{"url", h.URL, "is not a URL: write one such as http://localhost:8080/"})
	}
	if h.Status != "none" {
		all = append(all, whole("status", h.Status, 100, 599)...)
	}
	return append(append(all, h.Body.faults("body")...), h.Header.faults("header")...)
}

var service = regexp.MustCompile(`^([a-z0-9-]+)\.([a-z0-9-]+)\.svc(\.cluster\.local)?$`)

// Probe asks once, without a proxy, and prints header and body.
func (h *HTTP) Probe() string {
	args := []string{"curl", "-sSi", "--max-time", "5", "--noproxy", "*"}
	if h.Insecure {
		args = append(args, "--insecure")
	}
	if h.Host != "" {
		args = append(args, "-H", "Host: "+h.Host)
	}
	u, err := url.Parse(h.URL)
	if err != nil {
		return "exit 3"
	}
	m := service.FindStringSubmatch(u.Hostname())
	if m == nil {
		return remote.Quote(append(args, "--", h.URL)...)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return kubeAccess + "\nip=$(" + remote.Quote("kubectl", "get", "service", "-n", m[2], m[1], "--ignore-not-found", "-o", "jsonpath={.spec.clusterIP}") + `) || exit
[[ $ip == *.* ]] || { echo no-service; exit 0; }
` + remote.Quote(args...) + " --resolve " + remote.Quote(u.Hostname()+":"+port) + `:"$ip" -- ` + remote.Quote(h.URL)
}

// Judge compares.
func (h *HTTP) Judge(facts Facts) Verdict {
	text := strings.ReplaceAll(string(facts.Out), "\r\n", "\n")
	switch {
	case text == "no-service\n":
		return fails("http-service", h.URL)
	case facts.Code == codeNotFound || facts.Code == codeNotCluster:
		v, _ := unable(facts)
		return v
	case !strings.HasPrefix(text, "HTTP/") && h.Status == "none":
		return holds()
	case !strings.HasPrefix(text, "HTTP/"):
		return fails("http-silent", h.URL, lastLine(facts.Err))
	}
	status, header, body := response(text)
	want := h.Status.number()
	if h.Status == "" {
		want = http.StatusOK
	}
	switch {
	case h.Status == "none":
		return fails("http-answers", h.URL, status)
	case status != want:
		return fails("http-status", h.URL, status, want)
	}
	if v, ok := h.Header.judge(wording.Say("header-of", h.URL), header); !ok {
		return v
	}
	if v, ok := h.Body.judge(wording.Say("body-of", h.URL), body); !ok {
		return v
	}
	return holds()
}

// response parts what curl -i printed; answers such as 100 Continue come before the one that counts.
func response(text string) (status int, header, body string) {
	for strings.HasPrefix(text, "HTTP/") {
		header, text, _ = strings.Cut(text, "\n\n")
		if fields := strings.Fields(header); len(fields) > 1 {
			status, _ = strconv.Atoi(fields[1])
		}
		if status >= 200 {
			break
		}
	}
	return status, header, text
}

// Reach asks whether a host answers.
type Reach struct {
	Host string `yaml:"host" jsonschema:"required"` // name or address
	Port Value  `yaml:"port,omitempty"`             // a TCP port; without it, the host has to answer a ping
	Open *bool  `yaml:"open,omitempty"`             // false: it may not answer
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9_.:-]+$`)

// Faults checks the fields.
func (r *Reach) Faults() []Fault {
	all := append(missing("host", r.Host, "w1"), whole("port", r.Port, 1, 65535)...)
	if r.Host != "" && (!hostName.MatchString(r.Host) || r.Host[0] == '-') {
		all = append(all, Fault{"host", r.Host, "is not a host: write a name or an address"})
	}
	return all
}

// Probe tries once.
func (r *Reach) Probe() string {
	if r.Port == "" {
		return "h=" + remote.Quote(r.Host) + "\ncommand -v ping >/dev/null || exit 127\nif ping -c 1 -W 3 \"$h\" >/dev/null; then echo open; else echo closed; fi"
	}
	return "if timeout 3 bash -c 'exec 3<>\"/dev/tcp/$0/$1\"' " + remote.Quote(r.Host, string(r.Port)) + " 2>/dev/null; then echo open; else echo closed; fi"
}

// Judge compares.
func (r *Reach) Judge(facts Facts) Verdict {
	if v, bad := unable(facts); bad {
		return v
	}
	where := r.Host
	if r.Port != "" {
		where += ":" + string(r.Port)
	}
	switch open := facts.text() == "open"; {
	case open && !wants(r.Open):
		return fails("reach-open", where)
	case !open && wants(r.Open):
		return fails("reach-closed", where)
	}
	return holds()
}
