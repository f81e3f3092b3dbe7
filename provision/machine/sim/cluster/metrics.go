package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// accountToken is the type of secrets that hold the token of a service account
// (https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets).
const accountToken = "kubernetes.io/service-account-token"

// fillToken is what the token controller does with such a secret.
func (a *apiServer) fillToken(secret object) error {
	if text(secret, "type") != accountToken || text(secret, "data", "token") != "" {
		return nil
	}
	ca, err := a.kernel.Machine.FS.ReadFile(vfs.Root(), pkiDir+"/ca.crt")
	if err != nil {
		return err
	}
	data := child(secret, "data")
	data["token"], data["ca.crt"], data["namespace"] = b64(random(16)+"."+random(32)), b64(ca), b64(text(secret, "metadata", "namespace"))
	return nil
}

// account is a service account.
type account struct{ namespace, name string }

func (a account) user() string { return "system:serviceaccount:" + a.namespace + ":" + a.name }

// podToken is the token that pods of a service account find in a file of theirs; the lock must be held.
func (s *store) podToken(who account) string {
	sum := sha256.Sum256([]byte(who.user() + text(s.get(key{"configmaps", kubePublic, "cluster-info"}), "data", "kubeconfig")))
	return hex.EncodeToString(sum[:])
}

// account finds whose token it is; the lock must be held.
func (s *store) account(token string) (account, bool) {
	for id := range s.objects["serviceaccounts"] {
		if who := (account{id.namespace, id.name}); s.podToken(who) == token {
			return who, true
		}
	}
	for id, o := range s.objects["secrets"] {
		known, err := base64.StdEncoding.DecodeString(text(o, "data", "token"))
		name := text(o, "metadata", "annotations", "kubernetes.io/service-account.name")
		if text(o, "type") == accountToken && err == nil && string(known) == token && token != "" && s.get(key{"serviceaccounts", id.namespace, name}) != nil {
			return account{id.namespace, name}, true
		}
	}
	return account{}, false
}

// request is what RBAC decides on: a path beside the API's objects, or a resource.
type request struct {
	path                                   string
	verb, group, resource, namespace, name string
}

// granted reports whether a role lets an account do something; the lock must be held.
func (s *store) granted(who account, r request) bool {
	for kind, roles := range map[string]string{"clusterrolebindings": "clusterroles", "rolebindings": "roles"} {
		for id, b := range s.objects[kind] {
			if id.namespace != "" && id.namespace != r.namespace || !boundTo(b, who) {
				continue
			}
			role := key{roles, id.namespace, text(b, "roleRef", "name")}
			if text(b, "roleRef", "kind") == "ClusterRole" {
				role = key{"clusterroles", "", role.name}
			}
			if slices.ContainsFunc(items(s.get(role), "rules"), func(rule any) bool { return r.fits(rule) }) {
				return true
			}
		}
	}
	return false
}

func boundTo(binding object, who account) bool {
	return slices.ContainsFunc(items(binding, "subjects"), func(s any) bool {
		return text(s, "kind") == "ServiceAccount" && text(s, "name") == who.name && text(s, "namespace") == who.namespace
	})
}

func (r request) fits(rule any) bool {
	has := func(list, want string) bool {
		return slices.ContainsFunc(items(rule, list), func(v any) bool { return fmt.Sprint(v) == want || fmt.Sprint(v) == "*" })
	}
	if r.path != "" {
		return has("nonResourceURLs", r.path) && has("verbs", r.verb)
	}
	return has("apiGroups", r.group) && has("resources", r.resource) && has("verbs", r.verb) &&
		(len(items(rule, "resourceNames")) == 0 || has("resourceNames", r.name))
}

// bearer is the token that an HTTP request shows.
func bearer(r guest.Request) string {
	token, _ := strings.CutPrefix(r.Header["Authorization"], "Bearer ")
	return token
}

// measurements answers an account that asks the API server for its own measurements or, through it, for those of a
// service. handled is false for other paths.
func (a *apiServer) measurements(path, token string) (answer guest.Response, handled bool) {
	want := request{verb: "get", path: path}
	var service key
	if rest, ok := strings.CutPrefix(path, "/api/v1/namespaces/"); ok {
		parts := strings.SplitN(rest, "/", 5) // NAMESPACE/services/NAME:PORT/proxy/PATH
		if len(parts) < 5 || parts[1] != "services" || parts[3] != "proxy" {
			return answer, false
		}
		name, _, _ := strings.Cut(parts[2], ":")
		service = key{"services", parts[0], name}
		want = request{verb: "get", resource: "services/proxy", namespace: parts[0], name: parts[2]}
	} else if path != "/metrics" {
		return answer, false
	}
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	who, known := a.store.account(token)
	switch {
	case token != "" && !known:
		return guest.Response{Code: 401, Body: "Unauthorized\n"}, true
	case !known || !a.store.granted(who, want):
		return guest.Response{Code: 403, Body: "Forbidden\n"}, true
	case service.name != "" && !a.store.serves(service):
		return guest.Response{Code: 503, Body: "no endpoints available for service \"" + service.name + "\"\n"}, true
	}
	return guest.Response{Code: 200, Body: "# simulated\n"}, true
}

// serves reports whether a service has a pod that is ready; the lock must be held.
func (s *store) serves(id key) bool {
	wanted := labelsOf(s.get(id), "spec", "selector")
	return len(wanted) > 0 && slices.ContainsFunc(s.list("pods", id.namespace), func(p object) bool {
		return fits(labelsOf(p), wanted) && s.podReady(p)
	})
}

// metrics is the kubelet's server: it has the API server say who asks, and whether they may.
func (k *kubelet) metrics(_ context.Context, r guest.Request) guest.Response {
	s := k.state.session.Load()
	if s == nil {
		return guest.Response{Code: 500, Body: "no API server to ask\n"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	who, known := s.account(bearer(r))
	switch {
	case !known:
		return guest.Response{Code: 401, Body: "Unauthorized\n"}
	case !s.granted(who, request{verb: "get", resource: "nodes/metrics", name: k.name}):
		return guest.Response{Code: 403, Body: fmt.Sprintf("Forbidden (user=%s, verb=get, resource=nodes, subresource(s)=[metrics])\n", who.user())}
	case r.Path == "/metrics", r.Path == "/metrics/cadvisor":
		return guest.Response{Code: 200, Body: "# simulated\n"}
	}
	return guest.Response{Code: 404, Body: "404 page not found\n"}
}

// serverCertificate makes the kubelet's certificate and the authority that vouches for it, as it does at its first start.
func (k *kubelet) serverCertificate() error {
	fs, root := k.kernel.Machine.FS, vfs.Root()
	file := kubeletDir + "/pki/kubelet.crt"
	if _, err := fs.Stat(root, file); err == nil {
		return nil
	}
	ca, err := newCA(k.name+"-ca", k.kernel.Clock())
	if err != nil {
		return err
	}
	cert, err := newCert(ca, k.name, nil, []string{k.name}, k.kernel.Clock())
	if err != nil {
		return err
	}
	if err := fs.MkdirAll(root, kubeletDir+"/pki", 0o755); err != nil {
		return err
	}
	return fs.WriteFile(root, file, cert.certPEM()+ca.certPEM(), 0o644)
}
