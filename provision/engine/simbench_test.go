package engine

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"podium/provision/machine/sim"
	"podium/provision/remote"
	"podium/provision/state"
)

// BenchmarkSimulator makes labs of simulated nodes by the real scripts over real SSH, nodes and engine in one process.
func BenchmarkSimulator(b *testing.B) {
	for _, nodes := range []int{100, 1000} {
		p := dockerLab(b, nodes)
		b.Run(fmt.Sprint("nodes=", nodes), func(b *testing.B) {
			for range b.N {
				host := sim.NewHost(nil)
				dir, err := state.Open(b.TempDir())
				if err != nil {
					b.Fatal(err)
				}
				key := filepath.Join(b.TempDir(), "key")
				if err := remote.GenerateKey(key); err != nil {
					b.Fatal(err)
				}
				public, err := remote.PublicKey(key)
				if err != nil {
					b.Fatal(err)
				}
				e := &Engine{
					Plan: p, Provider: sim.New(sim.Options{Lab: "bench", InProcess: host}), Dir: dir, PublicKey: public,
					Dialer: remote.NewDialer(remote.DialOptions{KeyFile: key}),
				}
				start := time.Now()
				if _, err := e.Up(context.Background(), UpOptions{}); err != nil {
					b.Fatal(err)
				}
				first := time.Since(start)
				start = time.Now()
				if _, err := e.Up(context.Background(), UpOptions{}); err != nil {
					b.Fatal(err)
				}
				second := time.Since(start)
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				b.ReportMetric(first.Seconds(), "s/up")
				b.ReportMetric(second.Seconds(), "s/second-up")
				b.ReportMetric(float64(m.Sys)/(1<<20), "MiB")
				host.Close()
			}
		})
	}
}
