// Package internet models what nodes find outside the lab: package archives and their keys, releases on GitHub, and the
// mirrors and proxies that the lab names. Nothing of it is fetched from anywhere: the files are made up, and say so.
package internet

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/image"
	"podium/provision/machine/sim/packages"
)

// Internet is the world outside a lab.
type Internet struct {
	Archives *packages.Archives
	Mirrors  []Mirror // of the lab
	Proxies  []string // host:port of the lab's proxies
}

// Mirror is a server of the classroom's own: what begins with URL is what begins with Upstream elsewhere.
type Mirror struct {
	URL, Upstream string
}

// rawPath is the beginning of a path at raw.githubusercontent.com, where GitHub's own OWNER/REPOSITORY/raw/REF leads.
var rawPath = regexp.MustCompile(`^([^/]+/[^/]+)/`)

// registries are container registries; that they answer is all that matters.
func registries() []string {
	return []string{"registry.k8s.io", "ghcr.io", "docker.io", "registry-1.docker.io", "quay.io", "gcr.io", "cr.l5d.io"}
}

func hosts() []string {
	return append(registries(), "archive.ubuntu.com", "security.ubuntu.com", "ports.ubuntu.com", "deb.debian.org", "security.debian.org", "httpredir.debian.org",
		"pkgs.k8s.io", "prod-cdn.packages.k8s.io", "download.docker.com", "download.opensuse.org", "pkg.jenkins.io", "apt.grafana.com", "packages.adoptium.net",
		"github.com", "raw.githubusercontent.com", "objects.githubusercontent.com", "get.helm.sh", "dl.k8s.io", "updates.jenkins.io", "example.com", "one.one.one.one")
}

// Lookup is the public name service.
func (in *Internet) Lookup(host string) (string, bool) {
	known := slices.Contains(hosts(), host) || strings.HasSuffix(host, ".archive.ubuntu.com")
	for _, m := range in.Mirrors {
		if u, err := url.Parse(m.URL); err == nil && u.Hostname() == host {
			known = true
		}
	}
	for _, p := range in.Proxies {
		if name, _, _ := strings.Cut(p, ":"); name == host {
			known = true
		}
	}
	if !known {
		return "", false
	}
	sum := 0
	for _, c := range host {
		sum = sum*31 + int(c)
	}
	return fmt.Sprintf("203.0.%d.%d", 113+sum>>8&1, sum&0xff), true // documentation addresses, RFC 5737
}

// Handler answers for a host outside.
func (in *Internet) Handler(host string) guest.Handler {
	return guest.HandlerFunc(func(ctx context.Context, r guest.Request) guest.Response {
		return in.get(ctx, in.upstream(r.Host, r.Path))
	})
}

// upstream is what a URL of a mirror stands for.
func (in *Internet) upstream(host, path string) string {
	here := host + path
	if host == "" || strings.Contains(path, "://") { // a request to a proxy
		here = strings.TrimPrefix(path, "/")
		here = here[strings.Index(here, "://")+3:]
	}
	for _, m := range in.Mirrors {
		base := strings.TrimRight(bare(m.URL), "/")
		if rest, ok := strings.CutPrefix(here, base); ok && (rest == "" || rest[0] == '/') {
			return strings.TrimRight(bare(m.Upstream), "/") + rest
		}
	}
	return here
}

func bare(u string) string {
	_, rest, ok := strings.Cut(u, "://")
	if !ok {
		return u
	}
	return rest
}

var notFound = guest.Response{Code: 404, Body: "404 Not Found (simulated)\n"}

// get answers a URL without its scheme.
func (in *Internet) get(_ context.Context, u string) guest.Response {
	u, _, _ = strings.Cut(u, "?")
	if base, ok := strings.CutSuffix(u, "/InRelease"); ok {
		return in.index(base)
	}
	for _, k := range keys() {
		if path, ok := strings.CutPrefix(u, k.prefix); ok && strings.HasSuffix(path, k.suffix) {
			return text(image.Key(k.owner))
		}
	}
	switch {
	case strings.HasPrefix(u, "github.com/"):
		return release(strings.TrimPrefix(u, "github.com/"))
	case strings.HasPrefix(u, "get.helm.sh/"):
		return helmArchive(strings.TrimPrefix(u, "get.helm.sh/"))
	case u == "updates.jenkins.io/update-center.actual.json":
		return text("{}\n")
	case strings.HasPrefix(u, "raw.githubusercontent.com/"):
		return release(rawPath.ReplaceAllString(strings.TrimPrefix(u, "raw.githubusercontent.com/"), "$1/raw/"))
	case strings.HasPrefix(u, "dl.k8s.io/release/stable"):
		return text("v1.37.1")
	case strings.Trim(u, "/") == "example.com":
		return text("<h1>Example Domain (simulated)</h1>\n")
	}
	for _, r := range registries() {
		if u == r+"/v2/" || u == r+"/" {
			return guest.Response{Code: 200, Body: "{}"}
		}
	}
	return notFound
}

func text(s string) guest.Response { return guest.Response{Code: 200, Body: s} }

// key says where the key of an archive lies.
type key struct{ prefix, suffix, owner string }

func keys() []key {
	return []key{
		{"pkgs.k8s.io/core:/stable:/v1.", "/deb/Release.key", "pkgs.k8s.io"},
		{"download.opensuse.org/repositories/isv:/cri-o:/stable:/v1.", "/deb/Release.key", "download.opensuse.org"},
		{"download.docker.com/linux/ubuntu/gpg", "", "download.docker.com"},
		{"download.docker.com/linux/debian/gpg", "", "download.docker.com"},
		{"pkg.jenkins.io/debian-stable/jenkins.io-2026.key", "", "pkg.jenkins.io"},
		{"pkg.jenkins.io/debian/jenkins.io-2026.key", "", "pkg.jenkins.io"},
		{"pkg.jenkins.io/debian-stable/jenkins.io-2023.key", "", "pkg.jenkins.io (expired 2026-03-26)"},
		{"apt.grafana.com/gpg-full.key", "", "apt.grafana.com"},
		{"apt.grafana.com/gpg.key", "", "apt.grafana.com (an older key)"},
		{"packages.adoptium.net/artifactory/api/gpg/key/public", "", "packages.adoptium.net"},
	}
}

// index answers for the index of a suite: BASE/dists/SUITE, or a flat BASE.
func (in *Internet) index(base string) guest.Response {
	archive, suite, dists := strings.Cut(base, "/dists/")
	if !dists {
		// A flat repository: its suite is the path below the archive, or "/".
		for _, flat := range []string{"", "/binary"} {
			where, ok := strings.CutSuffix(base, flat)
			name := strings.TrimPrefix(flat, "/") + "/"
			if a := in.Archives.At(where); ok && a != nil {
				if _, has := a.Suites[name]; has {
					return guest.Response{Code: 200, Body: "simulated", Reply: &packages.Release{URL: where, Suite: name, Archive: a}}
				}
			}
		}
		return notFound
	}
	a := in.Archives.At(archive)
	if a == nil {
		return notFound
	}
	if _, ok := a.Suites[suite]; !ok {
		return notFound
	}
	return guest.Response{Code: 200, Body: "simulated", Reply: &packages.Release{URL: archive, Suite: suite, Archive: a}}
}
