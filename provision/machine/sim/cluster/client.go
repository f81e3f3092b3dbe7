package cluster

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// kubeconfig is how a client reaches a cluster and who it is.
type kubeconfig struct {
	server  string
	ca      *x509.Certificate
	cert    *x509.Certificate // of the client; nil with a token
	token   string
	cluster string
	user    string
	context string
	space   string // namespace of the context
}

// kubeconfigText writes the file.
func kubeconfigText(cluster, server, user string, ca pair, auth object) string {
	name := user + "@" + cluster
	out, _ := yaml.Marshal(object{
		"apiVersion": "v1", "kind": "Config", "preferences": object{}, "current-context": name,
		"clusters": []any{object{"name": cluster, "cluster": object{"server": server, "certificate-authority-data": b64(ca.certPEM())}}},
		"contexts": []any{object{"name": name, "context": object{"cluster": cluster, "user": user}}},
		"users":    []any{object{"name": user, "user": auth}},
	})
	return string(out)
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// clientAuth is the part of a kubeconfig for a client with a certificate.
func clientAuth(c pair) (object, error) {
	key, err := c.keyPEM()
	if err != nil {
		return nil, err
	}
	return object{"client-certificate-data": b64(c.certPEM()), "client-key-data": b64(key)}, nil
}

// readKubeconfig reads a file with the rights of c; contextName "" means the current one.
func readKubeconfig(files *vfs.FS, c vfs.Cred, file, contextName string) (kubeconfig, error) {
	var k kubeconfig
	content, err := files.ReadFile(c, file)
	if err != nil {
		return k, fmt.Errorf("error loading config file %q: open %s: %s", file, file, strings.ToLower(guest.Reason(err)))
	}
	var doc object
	if err := yaml.Unmarshal([]byte(content), &doc); err != nil {
		return k, fmt.Errorf("error loading config file %q: %w", file, err)
	}
	if k.context = contextName; k.context == "" {
		k.context = text(doc, "current-context")
	}
	ctx := named(doc, "contexts", k.context)
	if ctx == nil {
		return k, fmt.Errorf("context %q does not exist", k.context)
	}
	k.cluster, k.user, k.space = text(ctx, "context", "cluster"), text(ctx, "context", "user"), text(ctx, "context", "namespace")
	cluster, user := at(named(doc, "clusters", k.cluster), "cluster"), at(named(doc, "users", k.user), "user")
	k.server, k.token = text(cluster, "server"), text(user, "token")
	load := func(from any, data string) (*x509.Certificate, error) {
		content := ""
		if v := text(from, data+"-data"); v != "" {
			raw, err := base64.StdEncoding.DecodeString(v)
			if err != nil {
				return nil, fmt.Errorf("error loading config file %q: illegal base64 data in %s-data", file, data)
			}
			content = string(raw)
		} else if name := text(from, data); name != "" {
			if content, err = files.ReadFile(c, name); err != nil {
				return nil, fmt.Errorf("unable to read %s %s for %s due to open %s: %s", data, name, k.user, name, strings.ToLower(guest.Reason(err)))
			}
		} else {
			return nil, nil
		}
		return readCert(content)
	}
	if k.ca, err = load(cluster, "certificate-authority"); err != nil {
		return k, err
	}
	k.cert, err = load(user, "client-certificate")
	return k, err
}

func named(doc object, list, name string) object {
	for _, e := range items(doc, list) {
		if text(e, "name") == name {
			m, _ := e.(object)
			return m
		}
	}
	return nil
}

// dialError is why an API server cannot be reached.
type dialError struct {
	server  string // host and port
	reason  string
	refused bool
}

func (e *dialError) Error() string { return e.reason }

// dial finds the API server that listens at an address such as https://kube-api:6443.
func dial(ctx context.Context, m *guest.Machine, server string) (*apiServer, error) {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" {
		return nil, &dialError{server: server, reason: fmt.Sprintf("parse %q: invalid server address", server)}
	}
	port := 443
	if u.Port() != "" {
		port, _ = strconv.Atoi(u.Port())
	}
	address, ok := m.Resolve(ctx, u.Hostname())
	if !ok {
		return nil, &dialError{server: u.Host, reason: fmt.Sprintf("dial tcp: lookup %s on 127.0.0.53:53: no such host", u.Hostname())}
	}
	at := net.JoinHostPort(address, strconv.Itoa(port))
	h, err := m.Net.Dial(ctx, m, address, port)
	if err != nil {
		reason := "connect: no route to host"
		refused := strings.Contains(strings.ToLower(err.Error()), "refused") || m.Hardware.Address == address || m.Net.Peer(address) != nil
		if refused {
			reason = "connect: connection refused"
		}
		return nil, &dialError{server: u.Host, reason: fmt.Sprintf("dial tcp %s: %s", at, reason), refused: refused}
	}
	reply := h.Serve(ctx, guest.Request{From: m, Host: u.Host, Message: hello{}})
	api, ok := reply.Reply.(*apiServer)
	if reply.Code == 503 { // a balancer without a server that works
		return nil, &dialError{server: u.Host, reason: "EOF"}
	}
	if !ok {
		return nil, &dialError{server: u.Host, reason: "http: server gave HTTP response to HTTPS client"}
	}
	return api, nil
}

// hello asks who listens on a port; an API server replies with itself.
type hello struct{}

// session is a client whom an API server knows.
type session struct {
	*store
	api     *apiServer
	user    string
	groups  []string
	service *account // nil if the client is no service account
}

// errUnauthorized is for clients whose credentials are not accepted.
type errUnauthorized struct{ why string }

func (e *errUnauthorized) Error() string { return "Unauthorized" }

// connect reaches the cluster of a kubeconfig and makes itself known.
func connect(ctx context.Context, k *guest.Kernel, conf kubeconfig) (*session, error) {
	api, err := dial(ctx, k.Machine, conf.server)
	if err != nil {
		return nil, err
	}
	u, _ := url.Parse(conf.server)
	if conf.ca == nil {
		return nil, fmt.Errorf("tls: failed to verify certificate: x509: certificate signed by unknown authority")
	}
	if err := verify(api.cert.Load().cert, conf.ca, k.Clock()); err != nil {
		return nil, err
	}
	if err := api.cert.Load().cert.VerifyHostname(u.Hostname()); err != nil {
		return nil, fmt.Errorf("tls: failed to verify certificate: %w", err)
	}
	s := &session{store: api.store, api: api}
	switch {
	case conf.cert != nil:
		if err := verify(conf.cert, api.ca, api.kernel.Clock()); err != nil {
			return nil, &errUnauthorized{err.Error()}
		}
		s.user, s.groups = conf.cert.Subject.CommonName, conf.cert.Subject.Organization
	case conf.token != "":
		s.mu.Lock()
		who, known := s.store.account(conf.token)
		s.mu.Unlock()
		if known {
			s.user, s.service = who.user(), &who
			break
		}
		if err := api.bootstrap(conf.token); err != nil {
			return nil, &errUnauthorized{err.Error()}
		}
		s.user, s.groups = "system:bootstrap:"+conf.token[:6], []string{"system:bootstrappers"}
	default:
		s.user = "system:anonymous"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.quorum() {
		return nil, fmt.Errorf("etcdserver: request timed out")
	}
	return s, nil
}

// admin reports whether the client may do everything.
func (s *session) admin() bool {
	for _, g := range s.groups {
		if g == "system:masters" || g == "kubeadm:cluster-admins" {
			return true
		}
	}
	return false
}
