package sim_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"podium/provision/engine"
)

// BenchmarkUp measures up of a cluster with flannel, nodes and engine in this process, everything without durations.
func BenchmarkUp(b *testing.B) {
	for _, n := range []int{4, 100, 300, 1000} {
		b.Run(fmt.Sprintf("nodes=%d", n), func(b *testing.B) {
			for b.Loop() {
				text := fmt.Sprintf(`
name: big
network: 10.40.0.0/16
nodes:
  - {name: cp, roles: [control-plane], cpus: 4, memory: 8GiB}
  - {name: w, count: %d, roles: [worker], cpus: 1, memory: 2GiB}
kubernetes: {version: "1.36", cni: flannel, pod_subnet: 10.128.0.0/14}
`, n-1)
				e, host := newEngine(b, text, "")
				start := time.Now()
				if _, err := e.Up(b.Context(), engine.UpOptions{}); err != nil {
					b.Fatal(err)
				}
				took := time.Since(start)
				b.ReportMetric(took.Seconds()*1000/float64(n), "ms/node")
				runtime.GC()
				runtime.GC()
				if file := os.Getenv("PODIUM_HEAP"); file != "" {
					if f, err := os.Create(file); err == nil {
						pprof.WriteHeapProfile(f) //nolint:errcheck // for a person
						f.Close()
					}
				}
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				b.ReportMetric(float64(m.HeapInuse)/float64(n)/1024, "KiB/node")
				host.Close()
			}
		})
	}
}
