package cluster

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"go.yaml.in/yaml/v3"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

const (
	apiPort         = 6443
	etcdMetricsPort = 2381
	manifestDir     = "/etc/kubernetes/manifests"
	pkiDir          = "/etc/kubernetes/pki"
	tokenSecret     = "bootstrap-token-"
	kubeSystem      = "kube-system"
	kubePublic      = "kube-public"
	tokenExpires    = "2006-01-02T15:04:05Z07:00"
)

// apiServer is a running kube-apiserver.
type apiServer struct {
	node    string
	kernel  *guest.Kernel
	store   *store
	ca      *x509.Certificate    // signs clients
	cert    atomic.Pointer[pair] // its own
	version string
	done    chan struct{} // closed when it has ended

	external bool // its etcd is on machines of its own
}

// startAPIServer runs the static pods of a control plane: the API server with its etcd, and the two controllers. It
// returns once they serve. They end with the machine, or by stop.
func startAPIServer(k *guest.Kernel, node string) (api *apiServer, stop func(), err error) {
	fs, root := k.Machine.FS, vfs.Root()
	read := func(name string) string {
		content, e := fs.ReadFile(root, name)
		err = errors.Join(err, e)
		return content
	}
	ca, cert, certKey := read(pkiDir+"/ca.crt"), read(pkiDir+"/apiserver.crt"), read(pkiDir+"/apiserver.key")
	manifest := read(manifestDir + "/kube-apiserver.yaml")
	machines := etcdOf(manifest)
	external, etcd := len(machines.Endpoints) > 0, ""
	if !external {
		etcd = read(manifestDir + "/etcd.yaml")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("kube-apiserver does not start: %w", err)
	}
	api = &apiServer{node: node, kernel: k, external: external, done: make(chan struct{}), version: imageTag(manifest)}
	if api.ca, err = readCert(ca); err != nil {
		return nil, nil, fmt.Errorf("kube-apiserver does not start: %s/ca.crt: %w", pkiDir, err)
	}
	serving, err := readPair(cert, certKey)
	if err != nil {
		return nil, nil, fmt.Errorf("kube-apiserver does not start: %s/apiserver.crt: %w", pkiDir, err)
	}
	api.cert.Store(&serving)
	ports := []int{apiPort, 10257, 10259, 2379, 2380, etcdMetricsPort}
	started := []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"}
	leave := func() { api.store.leave(node, k.Machine) }
	if external {
		ports, started, leave = ports[:3], started[:3], func() {}
		api.store, err = machines.reach(context.Background(), k.Machine)
	} else {
		api.store, err = openStore(k.Machine, node)
	}
	if err != nil {
		return nil, nil, err
	}
	var closers []func()
	for _, port := range ports {
		h := guest.Handler(guest.HandlerFunc(notHTTP))
		switch port {
		case apiPort:
			h = api
		case 2379:
			h = etcdClients{api}
		case etcdMetricsPort:
			h = etcdMetrics(etcd)
		}
		c, err := k.Listen(port, h)
		if err != nil {
			for _, c := range closers {
				c()
			}
			leave()
			return nil, nil, err
		}
		closers = append(closers, c)
	}
	var processes []*guest.Process
	for _, name := range started {
		run := func(ctx context.Context, _ *guest.Process) int {
			<-ctx.Done()
			return 0
		}
		if name == "kube-apiserver" {
			run = func(ctx context.Context, _ *guest.Process) int {
				<-ctx.Done()
				for _, c := range closers {
					c()
				}
				leave()
				close(api.done)
				return 0
			}
		}
		p, err := k.Start(guest.Spec{Args: []string{name}, Cred: root, Dir: "/", Run: run, Files: map[int]guest.File{0: guest.Null{}, 1: guest.Null{}, 2: guest.Null{}}})
		if err != nil {
			return nil, nil, err
		}
		processes = append(processes, p)
	}
	return api, func() {
		for _, p := range processes {
			p.Signal(guest.SIGKILL)
			<-p.Done()
		}
	}, nil
}

// etcdOf is the external etcd that the manifest of an API server names; without endpoints it is its own node's.
func etcdOf(manifest string) externalEtcd {
	var pod object
	var e externalEtcd
	if yaml.Unmarshal([]byte(manifest), &pod) != nil {
		return e
	}
	for _, c := range items(pod, "spec", "containers") {
		for _, word := range items(c, "command") {
			name, value, _ := strings.Cut(fmt.Sprint(word), "=")
			switch name {
			case "--etcd-servers":
				if !strings.Contains(value, "127.0.0.1") {
					e.Endpoints = strings.Split(value, ",")
				}
			case "--etcd-cafile":
				e.CAFile = value
			case "--etcd-certfile":
				e.CertFile = value
			case "--etcd-keyfile":
				e.KeyFile = value
			}
		}
	}
	return e
}

// imageTag is the version in the image of a static pod's manifest.
func imageTag(manifest string) string {
	var pod object
	if yaml.Unmarshal([]byte(manifest), &pod) != nil {
		return ""
	}
	for _, c := range items(pod, "spec", "containers") {
		_, tag, _ := strings.Cut(text(c, "image"), ":")
		return tag
	}
	return ""
}

func notHTTP(context.Context, guest.Request) guest.Response {
	return guest.Response{Code: 400, Body: "Client sent an HTTP request to an HTTPS server.\n"}
}

// etcdMetrics are etcd's measurements: only the node itself sees them, unless the manifest says otherwise.
func etcdMetrics(manifest string) guest.Handler {
	open := strings.Contains(manifest, "--listen-metrics-urls=http://0.0.0.0:")
	return guest.HandlerFunc(func(_ context.Context, r guest.Request) guest.Response {
		if host, _, _ := strings.Cut(r.Host, ":"); !open && host != "127.0.0.1" && host != "localhost" {
			return guest.Response{Code: 502, Body: "nobody listens there\n"}
		}
		return guest.Response{Code: 200, Body: "# simulated\netcd_server_has_leader 1\n"}
	})
}

// Serve answers the models of clients, and what a student may ask by curl.
func (a *apiServer) Serve(_ context.Context, r guest.Request) guest.Response {
	if _, ok := r.Message.(hello); ok {
		return guest.Response{Code: 200, Reply: a}
	}
	path, _, _ := strings.Cut(r.Path, "?")
	if answer, ok := a.measurements(path, bearer(r)); ok {
		return answer
	}
	body, err := a.raw(path)
	if errors.Is(err, errNotReady) {
		return guest.Response{Code: 500, Body: err.Error() + "\n"}
	}
	if err != nil {
		return guest.Response{Code: 403, Body: fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","message":"forbidden: User \"system:anonymous\" cannot get path \"%s\"","code":403}`+"\n", path)}
	}
	return guest.Response{Code: 200, Body: body}
}

// errNotReady is what an API server says of itself while its etcd has no leader.
var errNotReady = errors.New("[-]etcd failed: reason withheld\nreadyz check failed")

// raw is what the API server says at the paths of kubectl get --raw.
func (a *apiServer) raw(path string) (string, error) {
	switch path {
	case "/readyz", "/healthz":
		a.store.mu.Lock()
		defer a.store.mu.Unlock()
		if !a.store.quorum() {
			return "", errNotReady
		}
		return "ok", nil
	case "/livez":
		return "ok", nil
	case "/version", "/version/":
		major, minor, _ := strings.Cut(strings.TrimPrefix(a.version, "v"), ".")
		minor, _, _ = strings.Cut(minor, ".")
		return fmt.Sprintf("{\n  \"major\": %q,\n  \"minor\": %q,\n  \"gitVersion\": %q,\n  \"platform\": \"linux/amd64\"\n}", major, minor, a.version), nil
	}
	return "", fmt.Errorf("the server could not find the requested resource")
}

// bootstrap checks a token of the form id.secret.
func (a *apiServer) bootstrap(token string) error {
	id, secret, _ := strings.Cut(token, ".")
	a.store.mu.Lock()
	o := a.store.get(key{"secrets", kubeSystem, tokenSecret + id})
	a.store.mu.Unlock()
	switch {
	case o == nil || a.expired(o):
		return fmt.Errorf("token %q is unknown or has expired", id)
	case text(o, "stringData", "token-secret") != secret:
		return fmt.Errorf("the secret of token %q is another", id)
	}
	return nil
}

// expired reports whether the secret of a token or of certificates has expired, by the control plane's clock.
func (a *apiServer) expired(secret object) bool { return expired(secret, a.kernel.Clock()) }

func expired(secret object, now time.Time) bool {
	until := text(secret, "stringData", "expiration")
	if until == "" {
		return false
	}
	t, err := time.Parse(tokenExpires, until)
	return err != nil || now.After(t)
}

// live reports whether the server still runs.
func (a *apiServer) live() bool {
	select {
	case <-a.done:
		return false
	case <-a.kernel.Done():
		return false
	default:
		return true
	}
}

// sign makes a certificate for the kubelet of a node.
func (a *apiServer) sign(node string) (pair, error) {
	fs, root := a.kernel.Machine.FS, vfs.Root()
	cert, err1 := fs.ReadFile(root, pkiDir+"/ca.crt")
	caKey, err2 := fs.ReadFile(root, pkiDir+"/ca.key")
	if err := errors.Join(err1, err2); err != nil {
		return pair{}, err
	}
	ca, err := readPair(cert, caKey)
	if err != nil {
		return pair{}, err
	}
	return newCert(ca, "system:node:"+node, []string{"system:nodes"}, nil, a.kernel.Clock())
}
