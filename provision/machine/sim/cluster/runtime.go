package cluster

import (
	"fmt"
	"strings"
	"sync"

	"podium/provision/machine/sim/guest"
)

// runtime is a container runtime as its clients see it.
type runtime struct {
	name          string // as nodes report it: containerd, docker, cri-o
	running       bool
	version       string
	cri           bool // what the kubelet talks to is not switched off
	systemdCgroup bool
	confDir       string   // of the pod network
	binDirs       []string // of its plugins
	sandbox       string   // image of the container that holds a pod's namespaces
	images        imageStore
}

// runtimes are the container runtimes of one boot, by the path of the socket that each serves on.
type runtimes struct {
	mu  sync.Mutex
	now map[string]runtime
}

type runtimesKey struct{}

func runtimesOf(k *guest.Kernel) *runtimes {
	return guest.Value(k, runtimesKey{}, func() *runtimes { return &runtimes{now: map[string]runtime{}} })
}

// ContainerdRuns reports whether containerd serves on a machine, for those that run containers by it.
func ContainerdRuns(k *guest.Kernel) bool { return runtimesOf(k).at(containerdSocket).running }

// socketPath is the path of an endpoint. /var/run is a link to /run.
func socketPath(endpoint string) string {
	path := strings.TrimPrefix(endpoint, "unix://")
	if rest, ok := strings.CutPrefix(path, "/var/run/"); ok {
		path = "/run/" + rest
	}
	return path
}

// at is what serves at an endpoint now.
func (r *runtimes) at(endpoint string) runtime {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now[socketPath(endpoint)]
}

func (r *runtimes) set(endpoint string, to runtime) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now[socketPath(endpoint)] = to
}

// available is the error that a client of the CRI gets.
func (r *runtimes) available(endpoint string) error {
	s := r.at(endpoint)
	switch {
	case !s.running:
		return fmt.Errorf("validate CRI v1 runtime API for endpoint %q: rpc error: code = Unavailable desc = connection error: desc = "+
			`"transport: Error while dialing: dial unix %s: connect: no such file or directory"`, endpoint, strings.TrimPrefix(endpoint, "unix://"))
	case !s.cri:
		return fmt.Errorf("validate CRI v1 runtime API for endpoint %q: rpc error: code = Unimplemented desc = unknown service runtime.v1.RuntimeService", endpoint)
	}
	return nil
}
