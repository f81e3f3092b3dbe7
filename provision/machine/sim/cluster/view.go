package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// view is an object as the API shows it, with its status; the lock must be held.
func (s *store) view(kind string, o object, now time.Time) object {
	switch kind {
	case "nodes":
		return s.nodeView(o, now)
	case "pods":
		return s.podView(o)
	case "deployments":
		return s.deploymentView(o)
	case "replicasets":
		return s.replicaSetView(o)
	case "daemonsets":
		return s.daemonSetView(o)
	case "persistentvolumeclaims":
		return s.claimView(o)
	case "gatewayclasses":
		return s.gatewayClassView(o)
	case "customresourcedefinitions":
		o = clone(o)
		o["status"] = object{"conditions": []any{object{"type": "Established", "status": "True", "reason": "InitialNamesAccepted"}}}
		return o
	case "secrets":
		return secretView(o)
	case "configmaps":
		if text(o, "metadata", "name") == "cluster-info" && text(o, "metadata", "namespace") == kubePublic {
			return s.signed(o, now)
		}
	}
	return o
}

// signed adds the signatures of the controller manager, one by each token that holds.
func (s *store) signed(o object, now time.Time) object {
	o = clone(o)
	data := child(o, "data")
	for k, secret := range s.objects["secrets"] {
		if id, ok := strings.CutPrefix(k.name, tokenSecret); ok && k.namespace == kubeSystem && !expired(secret, now) {
			data["jws-kubeconfig-"+id] = "simulated.." + digest(text(secret, "stringData", "token-secret"))[7:]
		}
	}
	return o
}

// podsOf are the pods of an owner.
func (s *store) podsOf(kind string, o object) []object {
	var list []object
	for _, p := range s.list("pods", text(o, "metadata", "namespace")) {
		if ownedBy(p, kind, text(o, "metadata", "name")) {
			list = append(list, p)
		}
	}
	return list
}

func (s *store) readyOf(pods []object) int {
	n := 0
	for _, p := range pods {
		if s.podReady(p) {
			n++
		}
	}
	return n
}

func (s *store) deploymentView(o object) object {
	o = clone(o)
	want := replicas(o)
	var all, updated []object
	for _, rs := range s.list("replicasets", text(o, "metadata", "namespace")) {
		if !ownedBy(rs, "Deployment", text(o, "metadata", "name")) {
			continue
		}
		pods := s.podsOf("ReplicaSet", rs)
		all = append(all, pods...)
		if text(rs, "metadata", "name") == replicaSetOf(o).name {
			updated = pods
		}
	}
	ready := s.readyOf(all)
	available, reason := "True", "MinimumReplicasAvailable"
	if ready < want-want/4 { // a quarter may be missing
		available, reason = "False", "MinimumReplicasUnavailable"
	}
	progress := object{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
	if s.readyOf(updated) < want {
		progress["reason"] = "ReplicaSetUpdated"
	}
	status := object{"replicas": len(all), "updatedReplicas": len(updated), "observedGeneration": 1,
		"conditions": []any{object{"type": "Available", "status": available, "reason": reason}, progress}}
	if ready > 0 {
		status["readyReplicas"], status["availableReplicas"] = ready, ready
	}
	if want > ready {
		status["unavailableReplicas"] = want - ready
	}
	child(o, "spec")["replicas"] = want
	o["status"] = status
	return o
}

func (s *store) replicaSetView(o object) object {
	o = clone(o)
	pods := s.podsOf("ReplicaSet", o)
	if ownerOf := items(o, "metadata", "ownerReferences"); len(ownerOf) > 0 {
		child(o, "spec")["replicas"] = len(pods)
	}
	o["status"] = object{"replicas": len(pods), "readyReplicas": s.readyOf(pods), "availableReplicas": s.readyOf(pods)}
	return o
}

func (s *store) daemonSetView(o object) object {
	o = clone(o)
	pods := s.podsOf("DaemonSet", o)
	ready := s.readyOf(pods)
	o["status"] = object{"desiredNumberScheduled": len(pods), "currentNumberScheduled": len(pods), "updatedNumberScheduled": len(pods),
		"numberReady": ready, "numberAvailable": ready, "numberUnavailable": len(pods) - ready}
	return o
}

// secretView shows a secret's data encoded.
func secretView(o object) object {
	o = clone(o)
	data := child(o, "data")
	if plain, ok := o["stringData"].(object); ok {
		for k, v := range plain {
			data[k] = b64(fmt.Sprint(v))
		}
	}
	delete(o, "stringData")
	return o
}

// age is a duration as kubectl prints it.
func age(d time.Duration) string {
	s := int(max(d, 0).Seconds())
	m, h := s/60, s/3600
	switch {
	case s < 120:
		return fmt.Sprintf("%ds", s)
	case m < 10:
		if s%60 == 0 {
			return fmt.Sprintf("%dm", m)
		}
		return fmt.Sprintf("%dm%ds", m, s%60)
	case m < 180:
		return fmt.Sprintf("%dm", m)
	case h < 48:
		return fmt.Sprintf("%dh", h)
	}
	return fmt.Sprintf("%dd", h/24)
}

// table lays rows out with three spaces between columns, as kubectl does.
func table(rows [][]string) string {
	if len(rows) == 0 {
		return ""
	}
	width := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			width[i] = max(width[i], len(cell))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		for i, cell := range r {
			b.WriteString(cell)
			if i < len(r)-1 {
				b.WriteString(strings.Repeat(" ", width[i]-len(cell)+3))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// columns are the titles of a kind's table; those behind the wide ones come with -o wide.
func columns(kind string, wide bool) []string {
	var list, more []string
	switch kind {
	case "nodes":
		list, more = []string{"NAME", "STATUS", "ROLES", "AGE", "VERSION"}, []string{"INTERNAL-IP", "EXTERNAL-IP", "OS-IMAGE", "KERNEL-VERSION", "CONTAINER-RUNTIME"}
	case "pods":
		list, more = []string{"NAME", "READY", "STATUS", "RESTARTS", "AGE"}, []string{"IP", "NODE", "NOMINATED NODE", "READINESS GATES"}
	case "deployments":
		list, more = []string{"NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"}, []string{"CONTAINERS", "IMAGES", "SELECTOR"}
	case "replicasets":
		list = []string{"NAME", "DESIRED", "CURRENT", "READY", "AGE"}
	case "daemonsets":
		list = []string{"NAME", "DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE", "NODE SELECTOR", "AGE"}
	case "services":
		list, more = []string{"NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"}, []string{"SELECTOR"}
	case "namespaces":
		list = []string{"NAME", "STATUS", "AGE"}
	case "configmaps":
		list = []string{"NAME", "DATA", "AGE"}
	case "secrets":
		list = []string{"NAME", "TYPE", "DATA", "AGE"}
	case "persistentvolumeclaims":
		list = []string{"NAME", "STATUS", "VOLUME", "CAPACITY", "ACCESS MODES", "STORAGECLASS", "AGE"}
	default:
		list = []string{"NAME", "AGE"}
	}
	if wide {
		list = append(list, more...)
	}
	return list
}

// row are the cells of an object's line, all of them: the caller cuts those that were not asked for.
func row(kind string, o object, now time.Time) []string {
	name, old := text(o, "metadata", "name"), "<unknown>"
	if t, err := time.Parse(time.RFC3339, text(o, "metadata", "creationTimestamp")); err == nil {
		old = age(now.Sub(t))
	}
	count := func(names ...string) string {
		n, _ := number(o, names...)
		return fmt.Sprint(n)
	}
	switch kind {
	case "nodes":
		info := at(o, "status", "nodeInfo")
		return []string{name, nodeStatus(o), roles(o), old, text(info, "kubeletVersion"), internalIP(o), "<none>", text(info, "osImage"), text(info, "kernelVersion"), text(info, "containerRuntimeVersion")}
	case "pods":
		ready, status := podStatus(o)
		return []string{name, ready, status, "0", old, or(text(o, "status", "podIP"), "<none>"), or(text(o, "spec", "nodeName"), "<none>"), "<none>", "<none>"}
	case "deployments":
		names, images := containersOf(o)
		return []string{name, count("status", "readyReplicas") + "/" + count("spec", "replicas"), count("status", "updatedReplicas"), count("status", "availableReplicas"), old,
			names, images, pairs(labelsOf(o, "spec", "selector", "matchLabels"))}
	case "replicasets":
		return []string{name, count("spec", "replicas"), count("status", "replicas"), count("status", "readyReplicas"), old}
	case "daemonsets":
		st := func(n string) string { return count("status", n) }
		return []string{name, st("desiredNumberScheduled"), st("currentNumberScheduled"), st("numberReady"), st("updatedNumberScheduled"), st("numberAvailable"),
			or(pairs(labelsOf(o, "spec", "template", "spec", "nodeSelector")), "<none>"), old}
	case "services":
		return []string{name, or(text(o, "spec", "type"), "ClusterIP"), or(text(o, "spec", "clusterIP"), "<none>"), external(o), ports(o), old, or(pairs(labelsOf(o, "spec", "selector")), "<none>")}
	case "namespaces":
		return []string{name, or(text(o, "status", "phase"), "Active"), old}
	case "configmaps":
		return []string{name, fmt.Sprint(len(labelsOf(o, "data"))), old}
	case "secrets":
		return []string{name, or(text(o, "type"), "Opaque"), fmt.Sprint(len(labelsOf(o, "data"))), old}
	case "persistentvolumeclaims":
		return []string{name, text(o, "status", "phase"), text(o, "spec", "volumeName"), text(o, "status", "capacity", "storage"), modes(o), text(o, "spec", "storageClassName"), old}
	}
	return []string{name, old}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func nodeStatus(o object) string {
	status := "Unknown"
	for _, c := range items(o, "status", "conditions") {
		if text(c, "type") == "Ready" {
			status = map[bool]string{true: "Ready", false: "NotReady"}[text(c, "status") == "True"]
		}
	}
	if at(o, "spec", "unschedulable") == true {
		status += ",SchedulingDisabled"
	}
	return status
}

func roles(o object) string {
	var list []string
	for l := range labelsOf(o) {
		if r, ok := strings.CutPrefix(l, "node-role.kubernetes.io/"); ok {
			list = append(list, r)
		}
	}
	slices.Sort(list)
	return or(strings.Join(list, ","), "<none>")
}

func internalIP(o object) string {
	for _, a := range items(o, "status", "addresses") {
		if text(a, "type") == "InternalIP" {
			return text(a, "address")
		}
	}
	return "<none>"
}

// podStatus are the columns READY and STATUS.
func podStatus(o object) (ready, status string) {
	status = or(text(o, "status", "phase"), "Pending")
	all, n := items(o, "status", "containerStatuses"), 0
	for _, c := range all {
		if at(c, "ready") == true {
			n++
		}
		if reason := text(c, "state", "waiting", "reason"); reason != "" {
			status = reason
		}
	}
	return fmt.Sprintf("%d/%d", n, len(items(o, "spec", "containers"))), status
}

func containersOf(o object) (names, images string) {
	var n, i []string
	for _, c := range items(o, "spec", "template", "spec", "containers") {
		n, i = append(n, text(c, "name")), append(i, text(c, "image"))
	}
	return strings.Join(n, ","), strings.Join(i, ",")
}

// pairs writes labels as a=b,c=d.
func pairs(l map[string]string) string {
	var list []string
	for k, v := range l {
		list = append(list, k+"="+v)
	}
	slices.Sort(list)
	return strings.Join(list, ",")
}

func ports(o object) string {
	var list []string
	for _, p := range items(o, "spec", "ports") {
		s := text(p, "port")
		if n := text(p, "nodePort"); n != "" {
			s += ":" + n
		}
		list = append(list, s+"/"+or(text(p, "protocol"), "TCP"))
	}
	return or(strings.Join(list, ","), "<none>")
}

// external is the column EXTERNAL-IP of a Service.
func external(o object) string {
	if text(o, "spec", "type") != "LoadBalancer" {
		return "<none>"
	}
	return or(balancedAt(o), "<pending>")
}

// modes shortens a claim's access modes as kubectl does.
func modes(o object) string {
	var list []string
	for _, mode := range items(o, "status", "accessModes") {
		list = append(list, map[string]string{"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX"}[fmt.Sprint(mode)])
	}
	return strings.Join(list, ",")
}

// gatewayClassView is a class of Gateways with what its controller says of it, while that runs.
func (s *store) gatewayClassView(o object) object {
	condition := object{"type": "Accepted", "status": "Unknown", "reason": "Pending", "message": "Waiting for controller"}
	controllers := map[string]string{"gateway.nginx.org/nginx-gateway-controller": "nginx-gateway", "traefik.io/gateway-controller": "traefik"}
	if controller := controllers[text(o, "spec", "controllerName")]; controller != "" && s.works("deployments", controller, controller) {
		condition = object{"type": "Accepted", "status": "True", "reason": "Accepted", "message": "The GatewayClass is accepted"}
	}
	return object{"kind": o["kind"], "apiVersion": o["apiVersion"], "metadata": o["metadata"], "spec": o["spec"], "status": object{"conditions": []any{condition}}}
}
