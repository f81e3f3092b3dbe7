package cluster

import (
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
)

// Pod is one that runs and serves, for the models of what runs in it.
type Pod struct {
	Image   string
	Machine *guest.Machine // its node's
	Token   string         // of its service account

	namespace string
	object    object
	session   *session
}

// PodAt finds the pod that answers at a port of a node: by a service with that node port, or by its hostPort.
func PodAt(k *guest.Kernel, port int) (Pod, bool) {
	state := kubeletStateOf(k)
	s := state.session.Load()
	if s == nil {
		return Pod{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, o := range s.objects["services"] {
		for _, p := range items(o, "spec", "ports") {
			if text(o, "spec", "type") == "NodePort" && text(p, "nodePort") == strconv.Itoa(port) {
				return s.podOf(id)
			}
		}
	}
	for _, p := range s.list("pods", "") {
		running := s.kubelets[text(p, "spec", "nodeName")]
		if running == nil || running.kernel != k || at(p, "spec", "hostNetwork") != true {
			continue
		}
		for _, c := range items(p, "spec", "containers") {
			for _, have := range items(c, "ports") {
				if text(have, "hostPort") == strconv.Itoa(port) && s.podReady(p) {
					return s.pod(p, c), true
				}
			}
		}
	}
	return Pod{}, false
}

// Service finds a pod behind a service's name, as pods know it: NAME.NAMESPACE.svc.
func (p Pod) Service(host string) (Pod, bool) {
	parts := strings.Split(host, ".")
	if len(parts) < 3 || parts[2] != "svc" {
		return Pod{}, false
	}
	p.session.mu.Lock()
	defer p.session.mu.Unlock()
	return p.session.podOf(key{"services", parts[1], parts[0]})
}

// podOf finds a ready pod of a service; the lock must be held.
func (s *session) podOf(service key) (Pod, bool) {
	wanted := labelsOf(s.get(service), "spec", "selector")
	for _, p := range s.list("pods", service.namespace) {
		if containers := items(p, "spec", "containers"); len(wanted) > 0 && fits(labelsOf(p), wanted) && len(containers) > 0 && s.podReady(p) {
			return s.pod(p, containers[0]), true
		}
	}
	return Pod{}, false
}

func (s *session) pod(p object, container any) Pod {
	space := text(p, "metadata", "namespace")
	return Pod{
		Image: text(container, "image"), Machine: s.kubelets[text(p, "spec", "nodeName")].kernel.Machine,
		Token: s.podToken(account{space, or(text(p, "spec", "serviceAccountName"), "default")}), namespace: space, object: p, session: s,
	}
}

// File is the text of a file that the pod has from a config map; false if there is none.
func (p Pod) File(path string) (string, bool) {
	for _, c := range items(p.object, "spec", "containers") {
		for _, mount := range items(c, "volumeMounts") {
			name, below := strings.CutPrefix(path, text(mount, "mountPath")+"/")
			for _, v := range items(p.object, "spec", "volumes") {
				if !below || text(v, "name") != text(mount, "name") {
					continue
				}
				p.session.mu.Lock()
				config := p.session.get(key{"configmaps", p.namespace, text(v, "configMap", "name")})
				p.session.mu.Unlock()
				if content := text(config, "data", name); content != "" {
					return content, true
				}
			}
		}
	}
	return "", false
}
