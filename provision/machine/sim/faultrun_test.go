package sim_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"podium/provision/engine"
	"podium/provision/remote"
)

// TestFaultsThatPass has things go wrong that an up gets over by itself.
func TestFaultsThatPass(t *testing.T) {
	for name, scenario := range map[string]string{
		"refused at first":   "ssh: {refuse: 3}",
		"dropped":            "ssh: {drop: [{command: apt-get install, times: 2}, {command: kubeadm join}]}\ndurations: {apt-get install: 50ms, kubeadm join: 50ms}",
		"rebooted":           "nodes: {w1: {reboot: [{command: apt-get install, after: 20ms}, {command: kubeadm join, after: 20ms}]}}\ndurations: {apt-get install: 60ms, kubeadm join: 60ms}",
		"lock held":          "apt_lock: 300ms",
		"downloads fail":     "downloads: 2",
		"join fails once":    "fail: [{command: kubeadm join}]",
		"slow boot":          "boot: 50ms..300ms\nslow: 2",
		"control plane dies": "nodes: {cp: {reboot: [{command: kubeadm init, after: 30ms}]}}\ndurations: {kubeadm init: 60ms}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _ := newEngine(t, pair, scenario)
			up(t, e)
			if ran := up(t, e); len(ran) > 0 {
				t.Errorf("the second up ran %q", ran)
			}
		})
	}
}

// TestFaultsThatStay has things go wrong that an up must report.
func TestFaultsThatStay(t *testing.T) {
	for _, tt := range []struct{ name, scenario, task, log string }{
		{"no network", "nodes: {w1: {network: none}}", "w1/base", "cannot resolve archive.ubuntu.com"},
		{"full disk", "nodes: {w1: {disk_full: true}}", "w1/", ""},
		{"small disk", "disk: 4800MiB", "cp/", "no space left on device"},
		{"down", "nodes: {w1: {host: down}}", "w1/boot", ""},
		{"unreachable", "nodes: {w1: {host: unreachable}}", "w1/boot", ""},
		{"init fails", "fail: [{command: kubeadm init, times: 10, message: etcd is broken}]", "cp/kubeadm-init", "etcd is broken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, _ := newEngine(t, pair, tt.scenario)
			e.Retry = engine.Retry{Tries: 2, First: time.Millisecond, Most: time.Millisecond}
			if tt.task == "w1/boot" { // the others must not fail because a busy machine is slow to answer
				e.Dialer = remote.NewDialer(remote.DialOptions{KnownHosts: e.KeyFile + ".hosts", KeyFile: e.KeyFile, Deadline: 2 * time.Second})
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			s, err := e.Up(ctx, engine.UpOptions{})
			var run *engine.RunError
			if !errors.As(err, &run) {
				t.Fatalf("up: %v", err)
			}
			found := false
			var logs strings.Builder
			for _, task := range s.Tasks {
				if task.Outcome == engine.Failed {
					text, _ := os.ReadFile(e.Dir.Path("logs", task.Node, task.Step+".log"))
					logs.Write(text)
					logs.WriteString(string(task.ID) + "\n")
					found = found || strings.HasPrefix(string(task.ID), tt.task) && strings.Contains(string(text), tt.log)
				}
			}
			if !found {
				t.Errorf("no failure of %s with %q: %v\n%s", tt.task, tt.log, err, logs.String())
			}
		})
	}
}

func TestSwappedHostKey(t *testing.T) {
	b := newBench(t, "host_key: swapped", "n1")
	b.up("n1").Close()
	if err := b.Halt(t.Context(), "n1"); err != nil {
		t.Fatal(err)
	}
	e, err := b.Up(t.Context(), "n1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.dialer.Dial(t.Context(), e); !errors.Is(err, remote.ErrHostKey) {
		t.Errorf("dial: %v", err)
	}
}

func TestClockAndDisk(t *testing.T) {
	b := newBench(t, "clock: -26h\ndisk: 5GiB", "n1")
	h := b.up("n1")
	out, _, _ := run(t, h, `date +%s; echo $EPOCHSECONDS; printf '%(%s)T\n'`)
	for line := range strings.Lines(out) {
		sec, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
		if behind := time.Since(time.Unix(sec, 0)).Hours(); err != nil || behind < 25.9 || behind > 26.1 {
			t.Errorf("the clock is %.1f hours behind, want 26", behind)
		}
	}
	out, errs, code := run(t, h, `fallocate -l 4000M /big; echo $?; df --output=avail -m / | tail -n 1; echo x >/small; rm /big; echo y >/small; cat /small`)
	if out != "1\n0\n0\ny\n" && out != "1\n0\n1\ny\n" && !strings.HasSuffix(out, "\ny\n") || !strings.Contains(errs, "No space left on device") {
		t.Errorf("full disk: code %d, %q, %q", code, out, errs)
	}
}

func TestDiskBelowTheSystem(t *testing.T) {
	b := newBench(t, "disk: 1GiB", "n1")
	if _, err := b.Up(t.Context(), "n1"); err == nil || !strings.Contains(err.Error(), "n1: a disk of 1.0 GiB is too small") {
		t.Errorf("up: %v", err)
	}
}

// TestShortCommandsAreMet: a fault that is to come while a command runs comes while it runs, however short it is.
func TestShortCommandsAreMet(t *testing.T) {
	for name, scenario := range map[string]string{
		"dropped":           "ssh: {drop: [{command: tee, times: 5}]}",
		"dropped later":     "ssh: {drop: [{command: tee, times: 5, after: 20ms}]}",
		"rebooted":          "reboot: [{command: tee, times: 5}]",
		"and it takes some": "reboot: [{command: tee, times: 5}]\ndurations: {tee: 10ms}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, scenario, "n1")
			for i := range 5 {
				h := b.up("n1")
				r, err := h.Run(t.Context(), remote.Command{Args: []string{"tee", "/tmp/a"}})
				if !errors.Is(err, remote.ErrDisconnected) {
					t.Fatalf("tee number %d ends with code %d and %v, though the node is to be met while it runs", i+1, r.Code, err)
				}
				h.Close()
			}
			h := b.up("n1")
			if out, _, _ := run(t, h, "tee /tmp/b && echo done"); out != "done\n" {
				t.Errorf("after all faults: %q", out)
			}
		})
	}
}

// Programs of one session that speak at the same moment share its channel, which takes one writer at a time.
func TestManySpeakAtOnce(t *testing.T) {
	t.Parallel()
	h := newBench(t, "", "n1").up("n1")
	_, errs, code := run(t, h, `for i in 1 2 3 4 5 6 7 8; do (for j in 1 2 3 4 5 6 7 8 9 10; do ls "/none-$i-$j"; done) & done; wait`)
	if got := strings.Count(errs, "cannot access '/none-"); code != 0 || got != 80 || strings.Count(errs, "\n") != 80 {
		t.Errorf("code %d, %d of 80 lines whole:\n%s", code, got, errs)
	}
}
