package incus

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// making is the server at work on what a podium that was killed has asked for; recorded from Incus 6.0.4, shortened.
const making = `{"running":[{"id":"74a8bc6c","class":"task","description":"Creating instance","status":"Running","resources":{"instances":["/1.0/instances/k8s-basic-w1"]}},` +
	`{"id":"7dd69a32","class":"websocket","description":"Executing command","status":"Running","resources":{"instances":["/1.0/instances/k8s-basic-w1"]}}],` +
	`"success":[{"id":"27f5d839","class":"task","description":"Downloading image","status":"Success","resources":{}}]}`

const (
	wait74    = "/1.0/operations/74a8bc6c/wait"
	getW1     = "query local:/1.0/instances/k8s-basic-w1?"
	notFound  = "Error: Failed to fetch instance \"k8s-basic-w1\" in project \"default\": Instance not found\n"
	busy      = "Error: Failed to create instance delete operation: Instance is busy running a \"create\" operation\n"
	postedW1  = `"name":"k8s-basic-w1"`
	deletedW1 = "-X DELETE local:/1.0/instances/k8s-basic-w1"
)

// TestUpWaits: what a podium that was killed has begun goes on without it.
func TestUpWaits(t *testing.T) {
	for _, c := range []struct {
		name, listed string
		after        answer // when the server has ended
		want         []string
	}{
		{"it was being made", ours("w1", "Stopped"), answer{Stdout: ours("w1", "Running")}, []string{wait74, getW1, "exec "}},
		{"it was made, and nobody saw it yet", "", answer{Stdout: ours("w1", "Running")}, []string{wait74, getW1, "exec "}},
		{"it could not be made", ours("w1", "Stopped"), answer{Stderr: notFound, Code: 1}, []string{wait74, getW1, postedW1, "exec "}},
		{"it was made and did not start", ours("w1", "Stopped"), answer{Stdout: ours("w1", "Stopped")}, []string{wait74, getW1, deletedW1, postedW1, "exec "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.after.Call = getW1
			p, spec, calls := fake(t, fakeLab, with(answer{Call: "/1.0/instances?recursion=1", Stdout: "[" + c.listed + "]"},
				answer{Call: "/1.0/operations?recursion=1", Stdout: making}, answer{Call: wait74, Stdout: "{}"}, c.after))
			if err := p.Prepare(t.Context(), spec); err != nil {
				t.Fatal(err)
			}
			before := len(calls())
			if e, err := p.Up(t.Context(), "w1"); err != nil || len(e.HostKeys) == 0 {
				t.Fatalf("%+v, %v", e, err)
			}
			inOrder(t, calls()[before:], c.want...)
		})
	}
}

// inOrder checks that calls with these parts were made, in this order.
func inOrder(t *testing.T, calls []string, parts ...string) {
	t.Helper()
	rest := calls
	for _, part := range parts {
		at := slices.IndexFunc(rest, func(call string) bool { return strings.Contains(call, part) })
		if at < 0 {
			t.Fatalf("no call with %s where it should be:\n%s", part, strings.Join(calls, "\n"))
		}
		rest = rest[at+1:]
	}
}

// TestDestroyWaits: destroy after a podium that was killed, too.
func TestDestroyWaits(t *testing.T) {
	p, _, calls := fake(t, fakeLab, with(answer{Call: "/1.0/instances?recursion=1", Stdout: "[" + ours("w1", "Stopped") + "]"},
		answer{Call: deletedW1, Stderr: busy, Code: 1, First: 1}, answer{Call: "/1.0/operations?recursion=1", Stdout: making}, answer{Call: wait74, Stdout: "{}"}))
	if err := p.Destroy(t.Context(), "w1"); err != nil {
		t.Fatal(err)
	}
	inOrder(t, calls(), deletedW1, wait74, deletedW1)
}

// TestNetworkUnderway: a network that the server is still making is waited for, or made again.
func TestNetworkUnderway(t *testing.T) {
	defer func(d time.Duration) { networkTime = d }(networkTime)
	name := networkName("k8s-basic", "kim@laptop:/home/kim/lab")
	network := func(status string) string {
		return `{"name":"` + name + `","type":"bridge","managed":true,"status":"` + status + `","config":{"ipv4.address":"192.168.56.1/24","` +
			keyLab + `":"k8s-basic","` + keyOwner + `":"kim@laptop:/home/kim/lab"}}`
	}
	get, made, removed := "query local:/1.0/networks/"+name, "-X POST -d {", "-X DELETE local:/1.0/networks/"+name
	for _, c := range []struct {
		name  string
		time  time.Duration // long where the server answers in time
		later []answer
		want  []string
	}{
		{"made", time.Minute, []answer{{First: 2, Stdout: network("Pending")}, {Stdout: network("Created")}}, []string{get, get, get}},
		{"given up", time.Minute, []answer{{First: 1, Stdout: network("Pending")}, {Stderr: "Error: Network not found\n", Code: 1}}, []string{get, get, made}},
		{"left behind by a server that died", 700 * time.Millisecond, []answer{{Stdout: network("Pending")}}, []string{get, removed, made}},
	} {
		t.Run(c.name, func(t *testing.T) {
			networkTime = c.time
			for i := range c.later {
				c.later[i].Call = get
			}
			p, spec, calls := fake(t, fakeLab, with(append(c.later, answer{Call: "/1.0/networks?recursion=1", Stdout: "[" + network("Pending") + "]"})...))
			if err := p.Prepare(t.Context(), spec); err != nil {
				t.Fatal(err)
			}
			inOrder(t, calls(), c.want...)
			if posted := slices.ContainsFunc(calls(), func(call string) bool { return strings.Contains(call, made) }); posted != slices.Contains(c.want, made) {
				t.Errorf("calls:\n%s", strings.Join(calls(), "\n"))
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	p, spec, _ := fake(t, fakeLab, with(answer{Call: get, Stdout: network("Pending")}, answer{Call: "/1.0/networks?recursion=1", Stdout: "[" + network("Pending") + "]"}))
	networkTime = time.Minute
	time.AfterFunc(300*time.Millisecond, cancel)
	if err := p.Prepare(ctx, spec); !errors.Is(err, context.Canceled) {
		t.Errorf("Ctrl-C: %v", err)
	}
}
