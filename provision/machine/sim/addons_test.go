package sim_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"podium/provision/engine"
	"podium/provision/plan"
	"podium/provision/remote"
)

const addons = `
name: addons
nodes:
  - {name: cp, roles: [control-plane]}
  - {name: w, count: 2, roles: [worker]}
  - {name: files, roles: [nfs]}
kubernetes: {addons: [helm, metrics-server, metallb, gateway, nfs, headlamp, linkerd, ingress-nginx]}
`

// What the add-ons are for works on simulated nodes as on real ones.
func TestAddons(t *testing.T) {
	e, _ := newEngine(t, addons, "")
	up(t, e)
	cp, w2 := connect(t, e, "cp"), connect(t, e, "w2")
	const claim = "printf '%s\\n' 'apiVersion: v1' 'kind: PersistentVolumeClaim' 'metadata: {name: data}' " +
		"'spec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 1Gi}}}' | kubectl apply -f - && kubectl get pvc data"
	for _, tt := range []struct {
		name, command, want string
		on                  remote.Host
	}{
		{"metrics", "kubectl top nodes", `(?m)^w2 +\d+m +\d+% +\d+Mi`, cp},
		{"helm", "helm version --short && helm list -A", `^v\d+\.\d+\.\d+\+g\S+\nNAME\tNAMESPACE`, cp},
		{"pool", "kubectl -n metallb-system get ipaddresspool podium -o jsonpath={.spec.addresses}", `192\.168\.56\.240-192\.168\.56\.250`, cp},
		{"load balancer", "kubectl create deployment web --image=nginx && kubectl expose deployment web --port=80 --type=LoadBalancer && " +
			"kubectl rollout status deployment/web && kubectl get service web", `(?m)^web +LoadBalancer +\S+ +192\.168\.56\.240 +80:3\d{4}/TCP`, cp},
		{"next address", "kubectl expose deployment web --name web2 --port=80 --type=LoadBalancer && kubectl get service web2", `192\.168\.56\.241`, cp},
		{"a page at the first", "curl -sf http://192.168.56.240/", `simulated answer of web-`, w2},
		{"no page elsewhere", "curl -sS http://192.168.56.249/ || true", `Couldn.t connect to server`, w2},
		{"claim", claim, `(?m)^data +Bound +pvc-\S+ +1Gi +RWX +nfs`, cp},
		{"mesh", "linkerd version --client --short; linkerd check | tail -n 1; linkerd install 2>&1 | tail -n 1", `^edge-[0-9.]+\nStatus check results are √\nUnable to install the Linkerd control plane`, cp},
		{"page of the cluster", "curl -sf http://192.168.56.10:30466/", `simulated answer of headlamp-`, w2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if out, errs, code := run(t, tt.on, tt.command); code != 0 || !regexp.MustCompile(tt.want).MatchString(out+errs) {
				t.Errorf("%s ends with %d and prints\n%s%s\nwhich does not match %s", tt.command, code, out, errs, tt.want)
			}
		})
	}
}

// The script of an add-on that runs again finds everything as it should be.
func TestAddonsTwice(t *testing.T) {
	e, _ := newEngine(t, addons, "")
	up(t, e)
	changes := regexp.MustCompile(` (created|configured)\b|writing |downloading|restarting`)
	for _, task := range e.Plan.Tasks {
		if !strings.HasPrefix(task.Step, "addon-") && !strings.HasPrefix(task.Step, "nfs-") {
			continue
		}
		said, code := step(t, e, connect(t, e, task.Node), task.ID)
		if code != 0 || changes.MatchString(said) {
			t.Errorf("%s the second time ends with %d and says\n%s", task.ID, code, said)
		}
	}
}

// The check of an add-on says what is wrong when what it stands on has gone.
func TestAddonsBroken(t *testing.T) {
	e, _ := newEngine(t, addons, "")
	up(t, e)
	for _, tt := range []struct {
		node, spoil string
		id          plan.TaskID
		want        string
	}{
		{"files", "systemctl stop nfs-server", "cp/addon-nfs", "a PersistentVolumeClaim gets no volume"},
		{"cp", "kubectl patch deployment metrics-server -n kube-system -p '{\"spec\":{\"replicas\":0}}'", "cp/addon-metrics-server", "kubectl top nodes says: Error from server (ServiceUnavailable)"},
		{"cp", "kubectl delete gatewayclass nginx", "cp/addon-gateway", `"nginx" not found`},
		{"cp", "kubectl delete -n headlamp service headlamp", "cp/addon-headlamp", "Headlamp does not answer at http://192.168.56.10:30466/"},
		{"cp", "kubectl delete mutatingwebhookconfiguration linkerd-proxy-injector-webhook-config", "cp/addon-linkerd", `"linkerd-proxy-injector-webhook-config" not found`},
		{"cp", "kubectl delete -n metallb-system l2advertisement podium; kubectl patch -n metallb-system ipaddresspool podium --type merge -p '{\"spec\":{\"addresses\":[\"192.168.56.5-192.168.56.6\"]}}'", "cp/addon-metallb",
			"MetalLB's pool is 192.168.56.5-192.168.56.6 instead of 192.168.56.240-192.168.56.250"},
	} {
		t.Run(string(tt.id), func(t *testing.T) {
			cp := connect(t, e, "cp")
			if said, code := probe(t, e, cp, tt.id); code != 0 {
				t.Fatalf("the check fails before anything was spoilt: %s", said)
			}
			if out, errs, code := run(t, connect(t, e, tt.node), tt.spoil); code != 0 {
				t.Fatalf("%s: %s%s", tt.spoil, out, errs)
			}
			if said, code := probe(t, e, cp, tt.id); code == 0 || !strings.Contains(said, tt.want) {
				t.Errorf("the check ends with %d and says\n%s\nand not %q", code, said, tt.want)
			}
		})
	}
}

// probe runs the check of a task once, with the task's variables.
func probe(t *testing.T, e *engine.Engine, h remote.Host, id plan.TaskID) (said string, code int) {
	t.Helper()
	for _, task := range e.Plan.Tasks {
		if task.ID == id {
			line := ""
			for name, value := range task.Vars {
				line += name + "='" + value + "' "
			}
			out, errs, code := run(t, h, line+"timeout 25 bash /var/lib/podium/scripts/"+task.Step+".probe.sh")
			return out + errs, code
		}
	}
	t.Fatalf("no task %s", id)
	return "", 0
}

// Another NFS server gets a StorageClass of its own.
func TestNFSServerMoves(t *testing.T) {
	const text = `
name: move
nodes:
  - {name: cp, roles: [control-plane]}
  - {name: files%s}
kubernetes: {addons: [nfs]}
`
	e, _ := newEngine(t, strings.Replace(text, "%s", "", 1), "")
	up(t, e)
	moved, _ := newEngine(t, strings.Replace(text, "%s", ", roles: [nfs]", 1), "")
	e.Plan = moved.Plan
	if ran := up(t, e); !slices.Equal(ran, []string{"cp/addon-nfs", "files/nfs-server"}) {
		t.Errorf("up ran %v", ran)
	}
	out, _, _ := run(t, connect(t, e, "cp"), "kubectl get storageclass nfs -o jsonpath={.parameters.server}")
	if out != "192.168.56.11" {
		t.Errorf("the class is for %s", out)
	}
}
