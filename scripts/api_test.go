package scripts_test

import (
	"fmt"
	"strings"
	"testing"
)

// kubeletPod is one pod of a kubelet's own /pods, as Kubernetes 1.36.3 writes it, without what nobody asks for.
func kubeletPod(name, source, hash, ready string) string {
	return fmt.Sprintf(`{"metadata":{"name":%q,"namespace":"kube-system","annotations":{"kubernetes.io/config.hash":%q,`+
		`"kubernetes.io/config.seen":"2026-11-29T07:13:04.477400563Z","kubernetes.io/config.source":%q}},"spec":{"containers":[]},`+
		`"status":{"phase":"Running","conditions":[{"type":"PodReadyToStartContainers","status":"True"},{"type":"Ready",`+
		`"observedGeneration":1,"status":%q,"lastProbeTime":null},{"type":"ContainersReady","status":"True"}]}}`, name, hash, source, ready)
}

// TestStaticPodsSettled holds that what the API says is believed only when the kubelet says so too: after a start of the
// machines the API goes on saying what was true before.
func TestStaticPodsSettled(t *testing.T) {
	answer := func(pods ...string) string {
		return `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[` + strings.Join(pods, ",") + `]}`
	}
	const etcd, server = "490db548", "4e7ec613"
	known := func(node, hash, ready string) string { return node + " pod-" + node + " " + ready + " " + hash + "\n" }
	both := known("cp", etcd, "True") + known("cp", server, "True")
	worker := kubeletPod("web", "api", "", "False")
	for name, test := range map[string]struct {
		known, kubelet string
		settled        bool
	}{
		"both say so":                      {both, answer(kubeletPod("etcd-cp", "file", etcd, "True"), kubeletPod("api-cp", "file", server, "True")), true},
		"a pod of the students fails":      {both, answer(kubeletPod("etcd-cp", "file", etcd, "True"), worker, kubeletPod("api-cp", "file", server, "True")), true},
		"another control plane is away":    {both + known("cp2", "77", "False"), answer(kubeletPod("etcd-cp", "file", etcd, "True"), kubeletPod("api-cp", "file", server, "True")), true},
		"the API's word is old":            {both, answer(kubeletPod("etcd-cp", "file", etcd, "False"), kubeletPod("api-cp", "file", server, "True")), false},
		"the kubelet has only just come":   {both, answer(), false},
		"it has not read all of them yet":  {both, answer(kubeletPod("etcd-cp", "file", etcd, "True")), false},
		"the kubelet has other hashes now": {both, answer(kubeletPod("etcd-cp", "file", "1", "True"), kubeletPod("api-cp", "file", server, "True")), false},
		"the API has not heard of one":     {known("cp", etcd, "True"), answer(kubeletPod("etcd-cp", "file", etcd, "True"), kubeletPod("api-cp", "file", server, "True")), false},
		"the API says not yet":             {known("cp", etcd, "False"), answer(kubeletPod("etcd-cp", "file", etcd, "True")), false},
		"the API leads to no kubelet":      {both, "Error from server (NotFound): the server could not find the requested resource", true},
		"the kubelet is stopped":           {both, "Error from server: error trying to reach service: dial tcp 192.168.56.10:10250: connect: connection refused", false},
	} {
		t.Run(name, func(t *testing.T) {
			kubectl := fmt.Sprintf("kubectl() {\n  if [[ $* == *--raw* ]]; then\n    echo '%s'\n    [[ '%[1]s' != Error* ]]\n  else\n    printf %%s '%s'\n  fi\n}\n", test.kubelet, test.known)
			_, stderr, err := runGuest(t, t.TempDir(), kubectl+"if static_pods_settled cp; then exit 0; else exit 3; fi", "step.sh", "api.sh")
			if settled := err == nil; settled != test.settled || stderr != "" {
				t.Errorf("ended with %v, want settled=%v\n%s", err, test.settled, stderr)
			}
		})
	}
}
