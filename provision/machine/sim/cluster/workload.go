package cluster

import (
	"encoding/json"
	"hash/fnv"
	"slices"
	"strings"
	"time"
)

const nameLetters = "bcdfghjklmnpqrstvwxz2456789" // of generated names, as in k8s.io/apimachinery

// suffix makes n letters out of text, the same ones each time.
func suffix(seed string, n int) string {
	h := fnv.New64a()
	h.Write([]byte(seed))
	v := h.Sum64()
	out := make([]byte, n)
	for i := range out {
		out[i] = nameLetters[v%uint64(len(nameLetters))]
		v /= uint64(len(nameLetters))
	}
	return string(out)
}

// newPod makes a pod by the template of an owner.
func newPod(owner object, kind, name, node string, now time.Time) object {
	template, _ := at(owner, "spec", "template").(object)
	p := newObject("Pod", "v1", name, text(owner, "metadata", "namespace"), now)
	meta := child(p, "metadata")
	meta["labels"] = clone(child(clone(child(template, "metadata")), "labels"))
	meta["ownerReferences"] = []any{object{"apiVersion": "apps/v1", "kind": kind, "name": text(owner, "metadata", "name"), "controller": true}}
	spec := clone(child(template, "spec"))
	if node != "" {
		spec["nodeName"] = node
	}
	p["spec"] = spec
	return p
}

// daemonPod names the pod of a daemon set on a node.
func daemonPod(ds object, node string) key {
	name := text(ds, "metadata", "name")
	return key{"pods", text(ds, "metadata", "namespace"), name + "-" + suffix(name+node, 5)}
}

// daemonPods makes the pods of every daemon set on a node; the lock must be held.
func (s *store) daemonPods(node string, now time.Time) error {
	for _, ds := range s.list("daemonsets", "") {
		if err := s.daemonOn(ds, s.get(key{"nodes", "", node}), now); err != nil {
			return err
		}
	}
	return nil
}

func (s *store) daemonOn(ds, node object, now time.Time) error {
	name := text(node, "metadata", "name")
	id := daemonPod(ds, name)
	spec := at(ds, "spec", "template", "spec")
	wanted := fits(labelsOf(node), labelsOf(spec, "nodeSelector")) && tolerated(items(node, "spec", "taints"), items(spec, "tolerations"))
	old := s.get(id)
	switch {
	case !wanted && old != nil:
		return s.deletePod(id)
	case !wanted || old != nil && same(at(old, "spec", "containers"), at(spec, "containers")):
		return nil
	case old != nil:
		if err := s.deletePod(id); err != nil {
			return err
		}
	}
	if err := s.put(id, newPod(ds, "DaemonSet", id.name, name, now)); err != nil {
		return err
	}
	if k := s.kubelets[name]; k != nil {
		k.run(s, id, s.get(id))
	}
	return nil
}

// deletePod ends a pod; the lock must be held.
func (s *store) deletePod(id key) error {
	if k := s.kubelets[text(s.get(id), "spec", "nodeName")]; k != nil {
		k.state.mu.Lock()
		delete(k.state.pods, id)
		k.state.mu.Unlock()
	}
	return s.remove(id)
}

// controllers do what the controller manager and the scheduler do; the lock must be held. It is called before each
// read and after each change, so that nobody sees work that is yet to be done.
func (s *store) controllers(now time.Time) error {
	owned := map[key][]object{} // pods by replica set
	var pending []object
	for id, p := range s.objects["pods"] {
		if text(p, "spec", "nodeName") == "" {
			pending = append(pending, p)
		}
		for _, o := range items(p, "metadata", "ownerReferences") {
			if text(o, "kind") == "ReplicaSet" {
				set := key{"replicasets", id.namespace, text(o, "name")}
				owned[set] = append(owned[set], p)
			}
		}
	}
	for _, d := range s.list("deployments", "") {
		more, err := s.deployment(d, owned, now)
		if err != nil {
			return err
		}
		pending = append(pending, more...)
	}
	for id, pods := range owned { // of replica sets that are gone
		if s.get(id) == nil {
			for _, p := range pods {
				if err := s.deletePod(podKey(p)); err != nil {
					return err
				}
			}
		}
	}
	if err := s.schedule(pending); err != nil {
		return err
	}
	return s.expose()
}

func podKey(p object) key {
	return key{"pods", text(p, "metadata", "namespace"), text(p, "metadata", "name")}
}

// replicas is how many pods a deployment wants.
func replicas(o object) int {
	if n, ok := number(o, "spec", "replicas"); ok {
		return n
	}
	return 1
}

// replicaSetOf names the replica set of a deployment's present template.
func replicaSetOf(d object) key {
	template, _ := json.Marshal(at(d, "spec", "template"))
	return key{"replicasets", text(d, "metadata", "namespace"), text(d, "metadata", "name") + "-" + suffix(string(template), 10)}
}

// deployment keeps as many pods of the present template as wanted, and old ones only until the new ones are ready.
func (s *store) deployment(d object, owned map[key][]object, now time.Time) (made []object, err error) {
	id, want := replicaSetOf(d), replicas(d)
	if s.get(id) == nil {
		rs := newObject("ReplicaSet", "apps/v1", id.name, id.namespace, now)
		child(rs, "metadata")["labels"] = clone(child(child(child(clone(d), "spec"), "template"), "metadata"))["labels"]
		child(rs, "metadata")["ownerReferences"] = []any{object{"apiVersion": "apps/v1", "kind": "Deployment", "name": text(d, "metadata", "name"), "controller": true}}
		rs["spec"] = clone(child(d, "spec"))
		if err := s.put(id, rs); err != nil {
			return nil, err
		}
	}
	pods := owned[id]
	for n := len(pods); n < want; n++ {
		name := id.name + "-" + suffix(random(4), 5)
		p := newPod(s.get(id), "ReplicaSet", name, "", now)
		if err := s.put(podKey(p), p); err != nil {
			return nil, err
		}
		made = append(made, s.get(podKey(p)))
	}
	slices.SortFunc(pods, func(a, b object) int { return strings.Compare(podKey(a).name, podKey(b).name) })
	for _, p := range pods[min(want, len(pods)):] {
		if err := s.deletePod(podKey(p)); err != nil {
			return nil, err
		}
	}
	ready := 0
	for _, p := range pods[:min(want, len(pods))] {
		if s.podReady(p) {
			ready++
		}
	}
	return made, s.retire(d, id, owned, want-ready)
}

// retire ends the pods of a deployment's earlier templates, but for those that must stay while new ones are not ready.
func (s *store) retire(d object, present key, owned map[key][]object, keep int) error {
	for _, rs := range s.list("replicasets", present.namespace) {
		id := key{"replicasets", present.namespace, text(rs, "metadata", "name")}
		if id == present || !ownedBy(rs, "Deployment", text(d, "metadata", "name")) {
			continue
		}
		pods := owned[id]
		for len(pods) > keep {
			if err := s.deletePod(podKey(pods[0])); err != nil {
				return err
			}
			pods = pods[1:]
		}
		keep -= len(pods)
	}
	return nil
}

func ownedBy(o object, kind, name string) bool {
	return slices.ContainsFunc(items(o, "metadata", "ownerReferences"), func(r any) bool { return text(r, "kind") == kind && text(r, "name") == name })
}

// schedule gives pods their nodes, in turn; the lock must be held.
func (s *store) schedule(pending []object) error {
	if len(pending) == 0 {
		return nil
	}
	nodes := s.list("nodes", "")
	for _, p := range pending {
		if s.get(podKey(p)) == nil {
			continue
		}
		for range nodes {
			s.turn = (s.turn + 1) % len(nodes)
			n := nodes[s.turn]
			if !s.mayRun(p, n) {
				continue
			}
			p = clone(p)
			child(p, "spec")["nodeName"] = text(n, "metadata", "name")
			if err := s.put(podKey(p), p); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

// mayRun reports whether the scheduler may give a pod to a node.
func (s *store) mayRun(p, n object) bool {
	tolerations := items(p, "spec", "tolerations")
	if !tolerated(items(n, "spec", "taints"), tolerations) || !fits(labelsOf(n), labelsOf(p, "spec", "nodeSelector")) {
		return false
	}
	status, _, _ := s.readiness(text(n, "metadata", "name"))
	return tolerated(s.conditionTaints(n, status), tolerations)
}
