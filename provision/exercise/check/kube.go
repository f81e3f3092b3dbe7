package check

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"

	"github.com/tidwall/gjson"

	"podium/provision/remote"
)

//go:embed kube.go
var kubeSource string

// Kube asks for an object of Kubernetes, such as deployment/web, or for several, such as pods. It must run on a control
// plane.
type Kube struct {
	Object    string `yaml:"object" jsonschema:"required"` // KIND/NAME, or KIND for all of a kind
	Namespace string `yaml:"namespace,omitempty"`          // without it, default
	Selector  string `yaml:"selector,omitempty"`           // labels, such as app=web, for several
	Exists    *bool  `yaml:"exists,omitempty"`             // false: there may be none
	Count     Value  `yaml:"count,omitempty"`              // how many there are
	Ready     Value  `yaml:"ready,omitempty"`              // how many are ready: pods of a deployment (of its newest version), statefulset, daemonset; pods, nodes; completions of a job
	Field     string `yaml:"field,omitempty"`              // field, such as .spec.replicas or .spec.containers[0].image
	Value     *Match `yaml:"value,omitempty"`              // what the field holds; with several objects, of each of them
}

var object = regexp.MustCompile(`^[a-z][a-z0-9.]*(/[a-z0-9][a-z0-9.:-]*)?$`)

// Faults checks the fields.
func (k *Kube) Faults() []Fault {
	all := missing("object", k.Object, "deployment/web")
	if k.Object != "" && !object.MatchString(k.Object) {
		all = append(all, Fault{"object", k.Object, "is not an object: write KIND/NAME, such as deployment/web, or KIND, such as pods"})
	}
	if k.several() && k.Count == "" && k.Ready == "" && k.Field == "" && k.Exists == nil {
		all = append(all, Fault{"count", "", "is missing: write count, ready, exists or field, as an empty list would pass otherwise"})
	}
	if !k.several() && k.Selector != "" {
		all = append(all, Fault{"selector", k.Selector, "chooses among several: write object: " + strings.Split(k.Object, "/")[0]})
	}
	all = append(append(all, whole("count", k.Count, 0, 10000)...), whole("ready", k.Ready, 0, 10000)...)
	return append(all, fieldFaults(k.Field, k.Value)...)
}

// several reports whether a kind is asked for, and not one object of it.
func (k *Kube) several() bool { return !strings.Contains(k.Object, "/") }

// kubeAccess makes kubectl work, or says that this node cannot.
const kubeAccess = `export KUBECONFIG=/etc/kubernetes/admin.conf
[[ -f $KUBECONFIG ]] || exit 90`

// Probe prints the object or the list.
func (k *Kube) Probe() string {
	args := []string{"kubectl", "get", k.Object, "-n", k.namespace(), "-o", "json", "--request-timeout=5s"}
	if k.Selector != "" {
		args = append(args, "-l", k.Selector)
	}
	return kubeAccess + "\n" + remote.Quote(args...)
}

func (k *Kube) namespace() string {
	if k.Namespace == "" {
		return "default"
	}
	return k.Namespace
}

// label names the objects in sentences.
func (k *Kube) label() string {
	label := k.Object
	if k.Selector != "" {
		label += " (" + k.Selector + ")"
	}
	if k.namespace() != "default" {
		label += " -n " + k.namespace()
	}
	return label
}

// Judge compares.
func (k *Kube) Judge(facts Facts) Verdict {
	if facts.Code != 0 && (strings.Contains(facts.Err, "(NotFound)") || strings.Contains(facts.Err, "doesn't have a resource type")) {
		if !wants(k.Exists) || k.Count == "0" {
			return holds()
		}
		return fails("kube-missing", k.label())
	}
	if v, bad := unable(facts); bad {
		return v
	}
	if !gjson.ValidBytes(facts.Out) {
		return broken("strange-answer", facts.text())
	}
	is := gjson.ParseBytes(facts.Out)
	items := []gjson.Result{is}
	if k.several() {
		items = living(is.Get("items").Array())
	}
	if !wants(k.Exists) {
		if len(items) > 0 {
			return fails("kube-there", k.label(), len(items))
		}
		return holds()
	}
	if k.Count != "" && len(items) != k.Count.number() {
		return fails("kube-count", k.label(), len(items), k.Count)
	}
	if len(items) == 0 && k.Count == "" && k.Ready != "0" {
		return fails("kube-none", k.label())
	}
	if k.Ready != "" {
		if v := k.judgeReady(items); v.Result != Holds {
			return v
		}
	}
	for _, item := range items {
		if v := judgeField(strings.ToLower(item.Get("kind").String())+"/"+item.Get("metadata.name").String(), item, k.Field, k.Value); v.Result != Holds {
			return v
		}
	}
	return holds()
}

// living leaves out objects that are being deleted.
func living(items []gjson.Result) []gjson.Result {
	var all []gjson.Result
	for _, i := range items {
		if !i.Get("metadata.deletionTimestamp").Exists() {
			all = append(all, i)
		}
	}
	return all
}

// judgeReady counts what is ready.
func (k *Kube) judgeReady(items []gjson.Result) Verdict {
	ready := 0
	for _, item := range items {
		status := item.Get("status")
		switch kind := item.Get("kind").String(); kind {
		case "Deployment": // of the newest version only: old pods of a stuck rollout do not count
			if stale(item) {
				return fails("kube-stale", k.label())
			}
			ready += int(min(status.Get("readyReplicas").Int(), status.Get("updatedReplicas").Int()))
			if old := status.Get("replicas").Int() - status.Get("updatedReplicas").Int(); old > 0 {
				return fails("kube-rollout", k.label(), old)
			}
		case "StatefulSet", "ReplicaSet":
			if stale(item) {
				return fails("kube-stale", k.label())
			}
			ready += int(status.Get("readyReplicas").Int())
		case "DaemonSet":
			ready += int(status.Get("numberReady").Int())
		case "Job":
			ready += int(status.Get("succeeded").Int())
			if condition(item, "Failed") {
				return Verdict{CannotHold, fails("job-failed", k.label(), status.Get(`conditions.#(type=="Failed").message`)).Why}
			}
		default:
			if condition(item, "Ready") {
				ready++
			}
		}
	}
	if ready != k.Ready.number() {
		return fails("kube-ready", k.label(), ready, k.Ready)
	}
	return holds()
}

// stale reports whether the controller has not seen the object's latest change.
func stale(item gjson.Result) bool {
	return item.Get("status.observedGeneration").Int() < item.Get("metadata.generation").Int()
}

// condition reports whether a condition of an object is true.
func condition(item gjson.Result, name string) bool {
	return item.Get(fmt.Sprintf(`status.conditions.#(type=="%s").status`, name)).String() == "True"
}
