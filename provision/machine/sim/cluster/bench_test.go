package cluster

import (
	"fmt"
	"testing"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// BenchmarkJoin tells what a worker's join costs in clusters of growing size: it should not grow with them. Run it with
// -benchtime 1x.
func BenchmarkJoin(b *testing.B) {
	for _, n := range []int{100, 300, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				l := newLab(b)
				cp := l.add("cp", "192.168.56.10")
				l.ok(cp, "kubeadm init --apiserver-advertise-address=192.168.56.10 --control-plane-endpoint=kube-api:6443 --pod-network-cidr=10.240.0.0/13",
					"mkdir -p .kube; cp /etc/kubernetes/admin.conf .kube/config")
				l.must(cp.FS.WriteFile(vfs.Root(), "/root/flannel.yml", flannelYAML, 0o644))
				l.ok(cp, "sed -i s,10.244.0.0/16,10.240.0.0/13, flannel.yml; kubectl apply -f flannel.yml")
				var workers []*guest.Machine
				for i := range n {
					workers = append(workers, l.add(fmt.Sprintf("w%d", i+1), fmt.Sprintf("192.168.%d.%d", 57+i/250, 1+i%250)))
				}
				b.StartTimer()
				for _, w := range workers {
					join := l.ok(cp, "kubeadm token create --print-join-command")
					l.ok(cp, "kubectl -n kube-public get configmap cluster-info -o 'jsonpath={.data.jws-kubeconfig-abcdef}'")
					l.ok(w, join)
				}
				l.ok(cp, "kubectl get nodes -o wide >/dev/null")
				b.StopTimer()
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/node")
				for _, m := range l.machines {
					m.Halt()
				}
			}
		})
	}
}
