package audit

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"podium/provision/catalogue"
	"podium/provision/catalogue/openpgp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var today = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// gpgKey makes a real key that ends after so many days from now, and gives its armoured file and its fingerprint.
func gpgKey(t *testing.T, days string) (file, fingerprint string) {
	t.Helper()
	if _, err := exec.LookPath("gpg"); err != nil {
		t.Skip("skipped: needs gpg: apt-get install gnupg")
	}
	home, err := os.MkdirTemp("/tmp", "podium-gpg") // an agent's socket has a short path only
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "gpg-agent").Run()
		_ = os.RemoveAll(home)
	})
	run := func(args ...string) string {
		c := exec.Command("gpg", append([]string{"--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""}, args...)...)
		var errs bytes.Buffer
		c.Stderr = &errs
		out, err := c.Output()
		if err != nil {
			t.Fatalf("gpg %v: %v\n%s", args, err, errs.String())
		}
		return string(out)
	}
	run("--quick-generate-key", "Archive <a@school.example>", "ed25519", "sign", days)
	file = run("--armor", "--export")
	keys, err := openpgp.ReadKeys([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return file, keys[0].Fingerprint
}

// serve answers as upstreams do.
func serve(t *testing.T, answers map[string]http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer := answers[r.URL.Path]; answer != nil {
			answer(w, r)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

func run(t *testing.T, o Options) map[string]Result {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	o.Client = &http.Client{Transport: transport}
	if o.Now.IsZero() {
		o.Now = today
	}
	results := map[string]Result{}
	for _, r := range Run(t.Context(), o) {
		if _, twice := results[r.Subject]; twice {
			t.Errorf("%s stands there twice", r.Subject)
		}
		results[r.Subject] = r
	}
	return results
}

// expect compares outcomes, and what each message has to hold.
func expect(t *testing.T, got map[string]Result, want map[string][2]string) {
	t.Helper()
	for subject, w := range want {
		if r := got[subject]; string(r.Outcome) != w[0] || !strings.Contains(r.Message, w[1]) {
			t.Errorf("%s: %s %q, want %s with %q", subject, r.Outcome, r.Message, w[0], w[1])
		}
	}
	for subject, r := range got {
		if _, ok := want[subject]; !ok {
			t.Errorf("unexpected: %s: %s %s", subject, r.Outcome, r.Message)
		}
	}
}

func component(name, url string, releases ...catalogue.Release) catalogue.Component {
	return catalogue.Component{Name: name, Versions: releases, URLs: map[string]string{"packages": url}}
}

func TestAddresses(t *testing.T) {
	var tries atomic.Int32
	server := serve(t, map[string]http.HandlerFunc{
		"/good-1":       text("x"),
		"/good-2":       text("x"),
		"/moved-1":      func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/good-1", http.StatusFound) },
		"/lost-1":       func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/nothing", http.StatusFound) },
		"/forbidden-1":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"/busy-1":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"/arch-1-amd64": text("x"),
		"/get-1": func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodHead:
				w.WriteHeader(http.StatusMethodNotAllowed)
			case r.Header.Get("Range") != "bytes=0-0":
				w.WriteHeader(http.StatusBadRequest)
			default:
				w.WriteHeader(http.StatusPartialContent)
			}
		},
		"/second-1": func(w http.ResponseWriter, _ *http.Request) {
			if tries.Add(1) == 1 {
				w.WriteHeader(http.StatusBadGateway)
			}
		},
	})
	one := catalogue.Release{Version: "1", Default: true}
	c := catalogue.Catalogue{Components: []catalogue.Component{
		component("arch", server.URL+"/arch-{version}-{arch}", one),
		component("busy", server.URL+"/busy-{version}", one),
		component("forbidden", server.URL+"/forbidden-{version}", one),
		component("get", server.URL+"/get-{version}", one),
		component("good", server.URL+"/good-{version}", one, catalogue.Release{Version: "2"}),
		component("lost", server.URL+"/lost-{version}", one),
		component("moved", server.URL+"/moved-{version}", one),
		component("second", server.URL+"/second-{version}", one),
	}}
	results := run(t, Options{Catalogue: c, Names: []string{"good", "moved", "lost", "forbidden", "busy", "get", "second"}})
	expect(t, results, map[string][2]string{
		"good 1, packages": {"good", ""}, "good 2, packages": {"good", ""}, "moved 1, packages": {"good", ""}, "get 1, packages": {"good", ""}, "second 1, packages": {"good", ""},
		"lost 1, packages":      {"rotten", "is gone: the server says 404 Not Found"},
		"forbidden 1, packages": {"rotten", "is not to be had: the server says 403"},
		"busy 1, packages":      {"unasked", "the server says 503"},
	})
	var both []Result
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	both = Run(t.Context(), Options{Catalogue: c, Names: []string{"arch"}, Now: today, Client: &http.Client{Transport: transport}})
	if len(both) != 2 || both[0].Outcome != Good || both[1].Outcome != Rotten || !strings.HasSuffix(both[1].URL, "-arm64") {
		t.Errorf("both architectures: %+v", both)
	}
}

func TestKeys(t *testing.T) {
	long, longName := gpgKey(t, "1000d")
	near, nearName := gpgKey(t, "30d")
	var end catalogue.Date
	keys, err := openpgp.ReadKeys([]byte(long))
	if err != nil {
		t.Fatal(err)
	}
	end = catalogue.DateOf(keys[0].Expires)
	server := serve(t, map[string]http.HandlerFunc{
		"/a/key": text(long), "/b/key": text(near), "/c/key": text("<html>log in</html>"), "/both/key": text(near + long),
	})
	now := time.Now()
	src := func(name, path, fingerprint string, expires catalogue.Date) catalogue.Source {
		return catalogue.Source{Name: name, URL: server.URL + path, Mirror: name, Key: &catalogue.Key{Path: "key", Fingerprint: fingerprint, Expires: expires}}
	}
	c := catalogue.Catalogue{Sources: []catalogue.Source{
		src("right", "/a", longName, end),
		src("dateless", "/a2", longName, ""),
		src("near", "/b", nearName, ""),
		src("changed", "/b2", longName, end),
		src("portal", "/c", longName, end),
		src("unknown", "/a3", "", ""),
		src("among", "/both", longName, end),
		src("gone", "/d", longName, end),
	}}
	// The same files under other names, as an address is asked for once only.
	redirected := serve(t, map[string]http.HandlerFunc{"/a2/key": text(long), "/b2/key": text(near), "/a3/key": text(long)})
	for i, s := range c.Sources {
		if strings.HasSuffix(s.URL, "2") || strings.HasSuffix(s.URL, "3") {
			c.Sources[i].URL = redirected.URL + strings.TrimPrefix(s.URL, server.URL)
		}
	}
	expect(t, run(t, Options{Catalogue: c, Now: now}), map[string][2]string{
		"key of right":    {"good", ""},
		"key of dateless": {"warning", "the key expires " + string(end) + ", and the catalogue says nothing of it"},
		"key of near":     {"warning", "the key expires " + string(catalogue.DateOf(now.Add(30*24*time.Hour)))},
		"key of changed":  {"rotten", "the key was changed from " + longName + " to " + nearName},
		"key of portal":   {"rotten", "is not a key that podium can read (a captive portal's answer?)"},
		"key of unknown":  {"warning", "the catalogue has no fingerprint: " + longName},
		"key of among":    {"good", ""},
		"key of gone":     {"rotten", "is gone"},
	})
	later := now.Add(40 * 24 * time.Hour)
	if r := run(t, Options{Catalogue: c, Now: later})["key of near"]; r.Outcome != Rotten || !strings.Contains(r.Message, "the key expired ") {
		t.Errorf("after its end: %+v", r)
	}

	// A mirror may sign with a key of its own, but an expired one of the right name is no better there.
	mirror := serve(t, map[string]http.HandlerFunc{"/mirror/key": text(near)})
	mirrored := catalogue.Catalogue{Sources: []catalogue.Source{src("right", "/a", longName, end)}}
	got := run(t, Options{Catalogue: mirrored, Now: now, Mirrors: map[string]string{"right": mirror.URL + "/mirror/"}})
	expect(t, got, map[string][2]string{"key of right (mirror)": {"good", "signed by the mirror's own key: " + nearName}})
}

func TestDates(t *testing.T) {
	release := func(end catalogue.Date, chosen bool) catalogue.Release {
		return catalogue.Release{Version: "1", End: end, Default: chosen}
	}
	c := catalogue.Catalogue{
		Components: []catalogue.Component{
			{Name: "a", Versions: []catalogue.Release{release("2027-06-01", true)}},
			{Name: "b", Versions: []catalogue.Release{release("2027-02-19", true)}},
			{Name: "c", Versions: []catalogue.Release{release("2026-11-20", true)}},
			{Name: "d", Versions: []catalogue.Release{release("2026-11-20", false)}},
			{Name: "e", Legacy: true, Versions: []catalogue.Release{release("2026-11-20", true)}},
			{Name: "f", Versions: []catalogue.Release{release("2026-11-21", true)}},
		},
		Distributions: []catalogue.Distribution{{Name: "Old 1", Cgroup: "2", End: "2026-01-01"}, {Name: "Old 0", Cgroup: "1", End: "2020-01-01"}},
	}
	expect(t, run(t, Options{Catalogue: c}), map[string][2]string{
		"b 1": {"warning", "gets no fixes after 2027-02-19: 90 days are left"}, "c 1": {"rotten", "has had no fixes since 2026-11-20"},
		"d 1": {"warning", "has had no fixes"}, "e 1": {"warning", "has had no fixes"}, "f 1": {"warning", "0 days are left"},
		"Old 1": {"warning", "has had no fixes since 2026-01-01"},
	})
}

// broken is a network in which some names do not exist, and some hosts do not answer.
type broken map[string]error

func (b broken) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := b[r.URL.Host]; err != nil {
		return nil, err
	}
	recorder := httptest.NewRecorder()
	return recorder.Result(), nil
}

func TestSilence(t *testing.T) {
	none := &net.DNSError{Err: "no such host", Name: "dead.example", IsNotFound: true}
	one := catalogue.Release{Version: "1", Default: true}
	c := catalogue.Catalogue{}
	for _, name := range []string{"alive.example", "dead.example", "slow.example", "well.example"} {
		c.Components = append(c.Components, component(strings.TrimSuffix(name, ".example"), "https://"+name+"/{version}", one, catalogue.Release{Version: "2"}, catalogue.Release{Version: "3"}))
	}
	ask := func(network broken) map[string]Result {
		results := map[string]Result{}
		for _, r := range Run(t.Context(), Options{Catalogue: c, Now: today, Parallel: 1, Client: &http.Client{Transport: network}}) {
			results[r.Subject] = r
		}
		return results
	}
	// Most hosts answer, so a name that is not there is gone for good; a timeout may pass.
	got := ask(broken{"dead.example": none, "slow.example": context.DeadlineExceeded})
	if r := got["dead 1, packages and others"]; r.Outcome != Rotten || !strings.Contains(r.Message, "dead.example does not exist any more") {
		t.Errorf("a dead host: %+v", r)
	}
	if r := got["slow 1, packages and others"]; r.Outcome != Unasked || !strings.Contains(r.Message, "slow.example does not answer: context deadline exceeded") {
		t.Errorf("a slow host: %+v", r)
	}
	if len(got) != 8 {
		t.Errorf("%d results for two hosts of three addresses that answer and two that do not: %v", len(got), got)
	}
	// Few answer: that is this computer's network.
	got = ask(broken{"dead.example": none, "slow.example": none, "well.example": none})
	if r := got["dead 1, packages and others"]; r.Outcome != Unasked {
		t.Errorf("without a network: %+v", r)
	}
	if n := len(got); n != 6 {
		t.Errorf("%d results, want one for each silent host and three of the other: %v", n, got)
	}
}

// TestUnreadKey: the date that the catalogue knows counts while the key cannot be read.
func TestUnreadKey(t *testing.T) {
	none := &net.DNSError{Err: "no such host", Name: "dead.example", IsNotFound: true}
	key := &catalogue.Key{Path: "key", Fingerprint: strings.Repeat("A", 40), Expires: "2026-12-29"}
	c := catalogue.Catalogue{Sources: []catalogue.Source{{Name: "dead", URL: "https://dead.example", Key: key}}}
	results := Run(t.Context(), Options{Catalogue: c, Now: today, Client: &http.Client{Transport: broken{"dead.example": none}}})
	if len(results) != 2 || results[0].Outcome != Warning || results[0].Message != "the key expires 2026-12-29: 38 days are left, as far as the catalogue knows" || results[1].Outcome != Unasked {
		t.Errorf("%+v", results)
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("Ctrl-C"))
	c := catalogue.Catalogue{Components: []catalogue.Component{component("a", "https://a.example/{version}", catalogue.Release{Version: "1", Default: true})}}
	start := time.Now()
	if results := Run(ctx, Options{Catalogue: c, Now: today, Client: &http.Client{Transport: broken{}}}); len(results) != 0 || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %v", results, time.Since(start))
	}
}

// TestQuestionsOfTheCatalogue: the real catalogue gives questions without anything left to fill in, none twice.
func TestQuestionsOfTheCatalogue(t *testing.T) {
	o := Options{Catalogue: catalogue.All(), Now: today}
	seen := map[string]bool{}
	for _, q := range list(o) {
		if seen[q.url] || strings.ContainsAny(q.url, "{}") {
			t.Errorf("%s: %s", q.subject, q.url)
		}
		seen[q.url] = true
	}
	if len(seen) < 60 {
		t.Errorf("%d questions only", len(seen))
	}
	for _, url := range []string{
		"https://pkgs.k8s.io/core:/stable:/v1.33/deb/Release.key", "https://download.docker.com/linux/debian/dists/trixie/Release",
		"https://download.docker.com/linux/ubuntu/gpg", "https://deb.debian.org/debian/dists/bookworm/Release", "https://get.helm.sh/helm-v4.2.4-linux-arm64.tar.gz",
	} {
		if !seen[url] {
			t.Errorf("nobody asks for %s", url)
		}
	}
	few := list(Options{Catalogue: catalogue.All(), Now: today, Names: []string{"jenkins"}, Mirrors: map[string]string{"jenkins": "http://mirror/jenkins/"}})
	for _, q := range few {
		if !strings.HasPrefix(q.url, "http://mirror/jenkins/debian-stable/") || !q.mirrored {
			t.Errorf("of Jenkins through a mirror: %s", q.url)
		}
	}
	if len(few) != 2 {
		t.Errorf("%d questions about Jenkins: %v", len(few), few)
	}
}
