package sim

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/hashicorp/go-hclog"

	"podium/provision/folder"
)

// ServeOptions say where a host process lives.
type ServeOptions struct {
	Dir     string // the lab's .podium/sim; the process ends when it is removed
	Version string // of podium, for messages
	Log     hclog.Logger
}

// Serve hosts a lab's nodes until it is told to end, its directory is removed, or ctx ends. It is the main function of
// the background process: podium sim-host.
func Serve(ctx context.Context, o ServeOptions) error {
	debug.SetGCPercent(60) // nodes wait most of the time: memory counts more than speed
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for podium: %w", err)
	}
	dir := here(o.Dir)
	l := lease{Protocol: protocol, Podium: o.Version, PID: os.Getpid(), Address: listener.Addr().String(), Token: rand.Text()}
	h := NewHost(o.Log)
	defer h.Close()
	srv := &http.Server{Handler: handler(h, l, cancel), ReadHeaderTimeout: 10 * time.Second}
	if err := writeLease(dir, l); err != nil {
		listener.Close()
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(listener) }()
	err = watch(ctx, dir, l, failed)
	stop, done := context.WithTimeout(context.Background(), 2*time.Second)
	defer done()
	srv.Shutdown(stop) //nolint:errcheck // a late client gets an error, as intended
	srv.Close()        //nolint:errcheck
	removeLease(dir, l)
	return err
}

// watch returns when the process is to end.
func watch(ctx context.Context, dir string, l lease, failed <-chan error) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return fmt.Errorf("serve podium: %w", err)
		case <-tick.C:
			if now, err := readLease(dir); errors.Is(err, os.ErrNotExist) || err == nil && now.Token != l.Token {
				return nil // the lab was removed, or has another host
			}
		}
	}
}

// here is the working directory where that is dir: the process then goes along when the lab's folder is moved.
func here(dir string) string {
	one, err := os.Stat(dir)
	if err != nil {
		return dir
	}
	if two, err := os.Stat("."); err != nil || !os.SameFile(one, two) {
		return dir
	}
	return "."
}

// writeLease writes the file for the owner's eyes only.
func writeLease(dir string, l lease) error {
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return folder.At(dir).Write(leaseName, append(text, '\n'), 0o600)
}

func removeLease(dir string, l lease) {
	if now, err := readLease(dir); err == nil && now.Token == l.Token {
		_ = folder.At(dir).Remove(leaseName) // the directory may be gone
	}
}
