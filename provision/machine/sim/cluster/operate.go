package cluster

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// create makes objects of files or flags.
func (c *ctl) create() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.o.Has("f") {
		docs, err := c.documents(c.o.Values("f"))
		if err != nil {
			return err
		}
		for _, o := range docs {
			if err := c.putDocument(o, false); err != nil {
				return err
			}
		}
		return nil
	}
	if len(c.args) < 2 {
		return errors.New("error: must specify one of -f and -k, or what to create and its name")
	}
	name := c.args[1]
	switch c.args[0] {
	case "deployment", "deploy":
		if !c.o.Has("image") {
			return errors.New(`error: required flag(s) "image" not set`)
		}
		n, err := strconv.Atoi(c.o.Or("replicas", "1"))
		if err != nil {
			return fmt.Errorf("error: invalid argument %q for \"-r, --replicas\" flag", c.o.Value("replicas"))
		}
		return c.putDocument(deployment(name, c.o.Value("image"), n), false)
	case "namespace", "ns":
		return c.putDocument(object{"kind": "Namespace", "apiVersion": "v1", "metadata": object{"name": name}, "status": object{"phase": "Active"}}, false)
	case "configmap", "cm":
		data := object{}
		for _, l := range c.o.Values("from-literal") {
			k, v, _ := strings.Cut(l, "=")
			data[k] = v
		}
		return c.putDocument(object{"kind": "ConfigMap", "apiVersion": "v1", "metadata": object{"name": name}, "data": data}, false)
	case "serviceaccount", "sa":
		return c.putDocument(object{"kind": "ServiceAccount", "apiVersion": "v1", "metadata": object{"name": name}}, false)
	case "token":
		return c.token(name)
	}
	return fmt.Errorf("error: \"create %s\" is not in the simulator's model: write a file and use -f", c.args[0])
}

func deployment(name, image string, n int) object {
	labels := func() object { return object{"app": name} }
	container, _, _ := strings.Cut(image[strings.LastIndexByte(image, '/')+1:], ":")
	return object{"kind": "Deployment", "apiVersion": "apps/v1", "metadata": object{"name": name, "labels": labels()}, "spec": object{
		"replicas": n, "selector": object{"matchLabels": labels()},
		"template": object{"metadata": object{"labels": labels()}, "spec": object{"containers": []any{object{"name": container, "image": image}}}},
	}}
}

func (c *ctl) runPod() error {
	if len(c.args) == 0 || !c.o.Has("image") {
		return errors.New(`error: required flag(s) "image" not set`)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	name := c.args[0]
	return c.putDocument(object{"kind": "Pod", "apiVersion": "v1", "metadata": object{"name": name, "labels": object{"run": name}},
		"spec": object{"containers": []any{object{"name": name, "image": c.o.Value("image")}}}}, false)
}

func (c *ctl) expose() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, err := c.find(c.args, "get")
	if err != nil {
		return err
	}
	if !c.o.Has("port") {
		return errors.New("error: couldn't find port via --port flag or introspection")
	}
	port, err := strconv.Atoi(c.o.Value("port"))
	if err != nil {
		return fmt.Errorf("error: invalid port %q", c.o.Value("port"))
	}
	for _, i := range found {
		wanted := at(i.o, "spec", "selector", "matchLabels")
		if i.plural == "pods" {
			wanted = at(i.o, "metadata", "labels")
		}
		name, kind := c.o.Or("name", i.key.name), c.o.Or("type", "ClusterIP")
		p := object{"port": port, "protocol": c.o.Or("protocol", "TCP"), "targetPort": c.o.Or("target-port", c.o.Value("port"))}
		if kind != "ClusterIP" {
			p["nodePort"] = 30000 + int(c.head.Revision)%2768
		}
		svc := object{"kind": "Service", "apiVersion": "v1", "metadata": object{"name": name, "namespace": i.key.namespace},
			"spec": object{"type": kind, "selector": cloneAny(wanted), "ports": []any{p}}}
		r, k, err := c.place(svc)
		if err != nil {
			return err
		}
		if c.session.store.get(k) != nil {
			return saysf("Error from server (AlreadyExists): services %q already exists", name)
		}
		fresh := newObject("Service", "v1", name, k.namespace, c.now())
		fresh["spec"] = svc["spec"]
		child(fresh, "spec")["clusterIP"] = fmt.Sprintf("10.%d.%d.%d", 96+c.head.Revision%16, c.head.Revision/16%256, 20+c.head.Revision%200)
		if err := c.write(k, fresh); err != nil {
			return err
		}
		c.say(r, name, "exposed")
	}
	return nil
}

// change alters objects and says what was done.
func (c *ctl) change(args []string, done string, alter func(i item, n object) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, err := c.find(args, "get")
	if err != nil {
		return err
	}
	for _, i := range found {
		if err := c.allow("patch", i.key, i.resource); err != nil {
			return err
		}
		n := clone(i.o)
		if err := alter(i, n); err != nil {
			return err
		}
		if same(n, i.o) && c.verb != "rollout" {
			c.say(i.resource, i.key.name, map[bool]string{true: "already " + done, false: done}[strings.HasSuffix(done, "cordoned")])
			continue
		}
		if err := c.write(i.key, n); err != nil {
			return err
		}
		if err := c.placeDaemons(i.key); err != nil {
			return err
		}
		c.say(i.resource, i.key.name, done)
	}
	return c.controllers(c.now())
}

func (c *ctl) scale() error {
	n, err := strconv.Atoi(c.o.Value("replicas"))
	if err != nil || n < 0 {
		return errors.New("error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
	}
	return c.change(c.args, "scaled", func(i item, o object) error {
		if i.plural != "deployments" && i.plural != "statefulsets" {
			return saysf("Error from server (NotFound): the server could not find the requested resource")
		}
		child(o, "spec")["replicas"] = n
		return nil
	})
}

// set changes the images of a workload.
func (c *ctl) set() error {
	if len(c.args) < 3 || c.args[0] != "image" {
		return errors.New("error: the simulator's model has only: kubectl set image TYPE/NAME CONTAINER=IMAGE")
	}
	cut := slices.IndexFunc(c.args, func(a string) bool { return strings.Contains(a, "=") })
	if cut < 2 {
		return errors.New("error: at least one image update is required")
	}
	return c.change(c.args[1:cut], "image updated", func(i item, o object) error {
		for _, change := range c.args[cut:] {
			name, image, _ := strings.Cut(change, "=")
			hit := false
			for _, k := range items(o, "spec", "template", "spec", "containers") {
				if m, ok := k.(object); ok && (name == "*" || text(k, "name") == name) {
					m["image"], hit = image, true
				}
			}
			if !hit {
				return fmt.Errorf("error: unable to find container named %q", name)
			}
		}
		return nil
	})
}

// rollout shows how a workload's change gets on, or restarts its pods.
func (c *ctl) rollout() error {
	if len(c.args) < 2 {
		return errors.New("error: required resource not specified")
	}
	switch c.args[0] {
	case "restart":
		return c.change(c.args[1:], "restarted", func(_ item, o object) error {
			meta := child(child(child(o, "spec"), "template"), "metadata")
			child(meta, "annotations")["kubectl.kubernetes.io/restartedAt"] = c.now().UTC().Format(time.RFC3339Nano)
			return nil
		})
	case "status":
	default:
		return fmt.Errorf("error: \"rollout %s\" is not in the simulator's model: status and restart are", c.args[0])
	}
	said := ""
	err := c.until(c.o.Or("timeout", "0"), func() (bool, error) {
		found, err := c.find(c.args[1:], "get")
		if err != nil {
			return false, err
		}
		for _, i := range found {
			line, done := rolledOut(c.view(i.plural, i.o, c.now()), i)
			if line != said {
				c.p.Print(line + "\n")
				said = line
			}
			if !done {
				return false, nil
			}
		}
		return true, nil
	})
	if errors.Is(err, errTime) {
		return errors.New("error: timed out waiting for the condition")
	}
	return err
}

func rolledOut(o object, i item) (line string, done bool) {
	n := func(names ...string) int { v, _ := number(o, names...); return v }
	switch i.plural {
	case "daemonsets":
		want, have := n("status", "desiredNumberScheduled"), n("status", "numberAvailable")
		if have < want {
			return fmt.Sprintf("Waiting for daemon set %q rollout to finish: %d of %d updated pods are available...", i.key.name, have, want), false
		}
		return fmt.Sprintf("daemon set %q successfully rolled out", i.key.name), true
	default:
		want, updated, all, have := n("spec", "replicas"), n("status", "updatedReplicas"), n("status", "replicas"), n("status", "availableReplicas")
		switch {
		case updated < want:
			return fmt.Sprintf("Waiting for deployment %q rollout to finish: %d out of %d new replicas have been updated...", i.key.name, updated, want), false
		case all > updated:
			return fmt.Sprintf("Waiting for deployment %q rollout to finish: %d old replicas are pending termination...", i.key.name, all-updated), false
		case have < updated:
			return fmt.Sprintf("Waiting for deployment %q rollout to finish: %d of %d updated replicas are available...", i.key.name, have, updated), false
		}
		return fmt.Sprintf("deployment %q successfully rolled out", i.key.name), true
	}
}

var errTime = errors.New("timed out waiting for the condition")

// until asks until it holds or the time is over; 0 means no end.
func (c *ctl) until(limit string, holds func() (bool, error)) error {
	d, err := time.ParseDuration(limit)
	if n, e := strconv.Atoi(limit); e == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil {
		return fmt.Errorf("error: invalid argument %q for \"--timeout\" flag: %w", limit, err)
	}
	var over <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		over = t.C
	}
	again := time.NewTicker(100 * time.Millisecond) // nodes change without a word to the store
	defer again.Stop()
	for {
		c.mu.Lock()
		err := c.controllers(c.now())
		ok := false
		if err == nil {
			ok, err = holds()
		}
		c.mu.Unlock()
		if ok || err != nil {
			return err
		}
		select {
		case <-over:
			return errTime
		case <-c.ctx.Done():
			return c.ctx.Err()
		case <-again.C:
		}
	}
}

// wait waits for a condition of objects.
func (c *ctl) wait() error {
	want := c.o.Value("for")
	kind, rest, _ := strings.Cut(want, "=")
	condition, value, given := strings.Cut(rest, "=")
	if !given {
		value = "True"
	}
	if want != "delete" && kind != "condition" && kind != "jsonpath" && want != "create" {
		return fmt.Errorf("error: unrecognized condition: %q (the simulator's model has condition=NAME, jsonpath={PATH}=VALUE, create and delete)", want)
	}
	var last item
	met := map[key]bool{}
	err := c.until(c.o.Or("timeout", "30s"), func() (bool, error) {
		found, err := c.find(c.args, "get")
		if want == "delete" {
			for _, i := range found {
				last = i
				return false, nil
			}
			return true, nil
		}
		if err != nil {
			if want == "create" {
				return false, nil
			}
			return false, err
		}
		if len(found) == 0 {
			return false, errors.New("error: no matching resources found")
		}
		for _, i := range found {
			last = i
			v := c.view(i.plural, i.o, c.now())
			if kind == "jsonpath" && !hasValue(v, condition, value) || kind == "condition" && !hasCondition(v, condition, value) {
				return false, nil
			}
			if !met[i.key] {
				met[i.key] = true
				c.p.Printf("%s condition met\n", i.reference(i.key.name))
			}
		}
		return true, nil
	})
	if errors.Is(err, errTime) {
		return fmt.Errorf("error: timed out waiting for the condition on %s/%s", last.plural, last.key.name)
	}
	return err
}

func hasCondition(o object, name, value string) bool {
	for _, k := range items(o, "status", "conditions") {
		if strings.EqualFold(text(k, "type"), name) {
			return strings.EqualFold(text(k, "status"), value)
		}
	}
	return false
}

// hasValue reports whether a path of an object holds a value.
func hasValue(o object, path, value string) bool {
	found, err := jsonPath(path, o)
	return err == nil && found == value
}

// token makes a token for an account of a namespace; the lock must be held.
func (c *ctl) token(account string) error {
	space := or(c.namespace(), "default")
	if c.session.store.get(key{"serviceaccounts", space, account}) == nil {
		return saysf("error: failed to create token: serviceaccounts %q not found", account)
	}
	c.p.Printf("simulated.%s.%s\n", b64(space+"/"+account), random(16))
	return nil
}
