package check

import (
	_ "embed"
	"strings"

	"github.com/tidwall/gjson"

	"podium/provision/remote"
	"podium/provision/wording"
)

//go:embed docker.go
var dockerSource string

// Container asks for a container of Docker.
type Container struct {
	Name      string `yaml:"name" jsonschema:"required"` // its name
	State     string `yaml:"state,omitempty"`            // running, exited, paused, created, restarting, any or absent; without it, running
	Health    string `yaml:"health,omitempty"`           // healthy, unhealthy or starting
	Image     *Match `yaml:"image,omitempty"`            // the image as it was named when the container was made
	Published Value  `yaml:"published,omitempty"`        // a port of the node that leads into it
	Network   string `yaml:"network,omitempty"`          // a network that it is in
	Field     string `yaml:"field,omitempty"`            // field of docker inspect, such as .HostConfig.Memory
	Value     *Match `yaml:"value,omitempty"`            // what the field holds
}

// Faults checks the fields.
func (c *Container) Faults() []Fault {
	all := append(missing("name", c.Name, "web"), whole("published", c.Published, 1, 65535)...)
	if c.State != "" {
		all = append(all, oneOf("state", c.State, "running", "exited", "paused", "created", "restarting", "any", "absent")...)
	}
	if c.Health != "" {
		all = append(all, oneOf("health", c.Health, "healthy", "unhealthy", "starting")...)
	}
	return append(append(all, c.Image.faults("image")...), fieldFaults(c.Field, c.Value)...)
}

// Probe prints what Docker knows of it.
func (c *Container) Probe() string { return "docker container inspect -- " + remote.Quote(c.Name) }

// Judge compares.
func (c *Container) Judge(facts Facts) Verdict {
	is, v := inspected(facts)
	switch {
	case v.Result != "":
		return v
	case !is.Exists() && c.State == "absent":
		return holds()
	case !is.Exists():
		return fails("container-missing", c.Name)
	case c.State == "absent":
		return fails("container-there", c.Name, is.Get("State.Status"))
	}
	state, want := is.Get("State.Status").String(), c.State
	if want == "" {
		want = "running"
	}
	switch {
	case want != "any" && state != want && state == "exited":
		return fails("container-exited", c.Name, is.Get("State.ExitCode"))
	case want != "any" && state != want:
		return fails("container-state", c.Name, state, want)
	case c.Health != "" && is.Get("State.Health.Status").String() != c.Health:
		return fails("is", wording.Say("health-of", c.Name), shown(is.Get("State.Health.Status").String()), c.Health)
	case c.Published != "" && !publishes(is, string(c.Published)):
		return fails("container-port", c.Name, c.Published)
	case c.Network != "" && !is.Get("NetworkSettings.Networks."+gjson.Escape(c.Network)).Exists():
		return fails("container-network", c.Name, c.Network)
	}
	if v, ok := c.Image.judge(wording.Say("image-of", c.Name), is.Get("Config.Image").String()); !ok {
		return v
	}
	return judgeField(c.Name, is, c.Field, c.Value)
}

// publishes reports whether a port of the node leads into the container.
func publishes(is gjson.Result, port string) bool {
	found := false
	is.Get("NetworkSettings.Ports").ForEach(func(_, bindings gjson.Result) bool {
		for _, b := range bindings.Array() {
			found = found || b.Get("HostPort").String() == port
		}
		return !found
	})
	return found
}

// Image asks for an image of Docker.
type Image struct {
	Name   string `yaml:"name" jsonschema:"required"` // such as mine:1
	Exists *bool  `yaml:"exists,omitempty"`           // false: it may not be there
	Field  string `yaml:"field,omitempty"`            // field of docker inspect, such as .Config.User
	Value  *Match `yaml:"value,omitempty"`            // what the field holds
}

// Faults checks the fields.
func (i *Image) Faults() []Fault {
	return append(missing("name", i.Name, "mine:1"), fieldFaults(i.Field, i.Value)...)
}

// Probe prints what Docker knows of it.
func (i *Image) Probe() string { return "docker image inspect -- " + remote.Quote(i.Name) }

// Judge compares.
func (i *Image) Judge(facts Facts) Verdict {
	is, v := inspected(facts)
	switch {
	case v.Result != "":
		return v
	case !is.Exists() && wants(i.Exists):
		return fails("image-missing", i.Name)
	case !is.Exists():
		return holds()
	case !wants(i.Exists):
		return fails("image-there", i.Name)
	}
	return judgeField(i.Name, is, i.Field, i.Value)
}

// inspected reads what docker inspect printed; nothing where there is no such thing. The verdict is set where Docker
// could not be asked.
func inspected(facts Facts) (gjson.Result, Verdict) {
	if facts.Code == 1 && strings.Contains(strings.ToLower(facts.Err), "no such ") {
		return gjson.Result{}, Verdict{}
	}
	if v, bad := unable(facts); bad {
		return gjson.Result{}, v
	}
	if !gjson.ValidBytes(facts.Out) {
		return gjson.Result{}, broken("strange-answer", facts.text())
	}
	return gjson.GetBytes(facts.Out, "0"), Verdict{}
}

// fieldFaults checks a field and its value, which go together.
func fieldFaults(field string, value *Match) []Fault {
	all := value.faults("value")
	switch {
	case field == "" && value != nil:
		all = append(all, Fault{"field", "", "is missing: write which field has the value"})
	case field != "" && value == nil:
		all = append(all, Fault{"value", "", "is missing: write what the field holds, such as {is: 3}"})
	}
	return all
}

// judgeField compares one field of a JSON object.
func judgeField(name string, is gjson.Result, field string, want *Match) Verdict {
	if field == "" {
		return holds()
	}
	if v, ok := want.judge(wording.Say("field-of", field, name), lookup(is, field)); !ok {
		return v
	}
	return holds()
}

// lookup finds a field as kubectl's jsonpath names it, such as .spec.containers[0].image; gjson's own paths work as well.
// Of several values it gives all, with blanks between them.
func lookup(is gjson.Result, field string) string {
	path := strings.NewReplacer("[*]", ".#", "[", ".", "]", "").Replace(strings.Trim(field, "{}"))
	found := is.Get(strings.TrimPrefix(strings.TrimSuffix(path, ".#"), "."))
	if !found.IsArray() {
		return found.String()
	}
	var all []string
	for _, v := range found.Array() {
		all = append(all, v.String())
	}
	return strings.Join(all, " ")
}
