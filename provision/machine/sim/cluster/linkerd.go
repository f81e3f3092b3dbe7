package cluster

import (
	"context"
	"fmt"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

// linkerd is the command of the service mesh: it prints manifests and says whether what they ask for is there. Its proxies
// are not simulated: pods get none.
func linkerd(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "client short crds pre n,namespace: kubeconfig:", option.GNU)
	if !ok {
		return 1
	}
	verb := ""
	if len(o.Args) > 0 {
		verb = o.Args[0]
	}
	v := version(p, "edge-26.9.1")
	if verb == "version" && o.Has("client") {
		if o.Has("short") {
			p.Print(v + "\n")
		} else {
			p.Print("Client version: " + v + "\n")
		}
		return 0
	}
	file := o.Or("kubeconfig", or(p.Getenv("KUBECONFIG"), p.Getenv("HOME")+"/.kube/config"))
	conf, err := readKubeconfig(p.FS(), p.Cred, p.Path(file), "")
	if err != nil {
		p.Errorf("Error: %v", err)
		return 1
	}
	s, err := connect(ctx, p.Kernel, conf)
	if err != nil {
		p.Errorf("Error connecting to Kubernetes: %v", err)
		return 1
	}
	installed := s.store.get(key{"configmaps", "linkerd", "linkerd-config"}) != nil
	switch {
	case verb == "install" && installed && !o.Has("crds"):
		p.Errorf("Unable to install the Linkerd control plane. Cannot install due to existing resources: linkerd-config")
		return 1
	case verb == "upgrade" && !installed:
		p.Errorf("Error: could not find a Linkerd installation to upgrade")
		return 1
	case (verb == "install" || verb == "upgrade") && s.store.get(key{"customresourcedefinitions", "", "httproutes.gateway.networking.k8s.io"}) == nil:
		p.Errorf("The Gateway API CRDs must be installed prior to installing Linkerd")
		return 1
	case verb == "install" || verb == "upgrade":
		p.Print(linkerdManifest(v, o.Has("crds")))
		return 0
	case verb == "check" && !installed && !o.Has("pre"):
		p.Print("× 'linkerd-config' config map exists\n\nStatus check results are ×\n")
		return 1
	case verb == "check":
		p.Print("(simulated)\n\nStatus check results are √\n")
		return 0
	}
	p.Errorf("Error: unknown command %q for \"linkerd\" (or one that the simulator's model does not have)", verb)
	return 1
}

// linkerdManifest is of the shape of what linkerd prints, as far as labs look at it.
func linkerdManifest(version string, definitions bool) string {
	if definitions {
		manifest := ""
		for _, d := range []struct{ kind, plural string }{
			{"Server", "servers"}, {"MeshTLSAuthentication", "meshtlsauthentications"}, {"AuthorizationPolicy", "authorizationpolicies"},
		} {
			manifest += fmt.Sprintf("---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: %[2]s.policy.linkerd.io\n"+
				"spec:\n  group: policy.linkerd.io\n  names:\n    kind: %[1]s\n    plural: %[2]s\n", d.kind, d.plural)
		}
		return manifest
	}
	manifest := `apiVersion: v1
kind: Namespace
metadata:
  name: linkerd
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: linkerd-config
  namespace: linkerd
data:
  version: ` + version + `
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata:
  name: linkerd-proxy-injector-webhook-config
webhooks:
- name: linkerd-proxy-injector.linkerd.io
  clientConfig:
    service:
      name: linkerd-proxy-injector
      namespace: linkerd
`
	for _, name := range []string{"identity", "destination", "proxy-injector"} {
		manifest += fmt.Sprintf(`---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: linkerd-%[1]s
  namespace: linkerd
spec:
  selector:
    matchLabels:
      app: linkerd-%[1]s
  template:
    metadata:
      labels:
        app: linkerd-%[1]s
    spec:
      containers:
      - name: %[1]s
        image: cr.l5d.io/linkerd/controller:%[2]s
`, name, version)
	}
	return manifest
}
