package cluster

import (
	"context"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

// ctr is containerd's own tool.
func ctr(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "n,namespace:", option.First)
	if !ok {
		return 1
	}
	if p.Cred.UID != 0 {
		return p.Fail(1, `failed to dial "%s": connection error: desc = "transport: error while dialing: dial unix %s: connect: permission denied"`, containerdSocket, containerdSocket)
	}
	rt := runtimesOf(p.Kernel).at(containerdSocket)
	if !rt.running {
		return p.Fail(1, `cannot access socket %s: no such file or directory`, containerdSocket)
	}
	args := append(o.Args, "", "")
	verb := args[1]
	switch args[0] {
	case "images", "image", "i":
		return ctrImages(ctx, p, o.Or("n", "default"), verb, args[2:len(args)-2+min(2, len(o.Args))])
	case "version":
		p.Printf("Client:\n  Version:  v%s\nServer:\n  Version:  v%s\n", rt.version, rt.version)
		return 0
	case "namespaces", "ns":
		p.Print("NAME   LABELS\nk8s.io\n")
		return 0
	}
	return p.Fail(1, "'%s' is not in the simulator's model of ctr", strings.Join(o.Args, " "))
}

func ctrImages(ctx context.Context, p *guest.Process, namespace, verb string, rest []string) int {
	spec := "q,quiet hosts-dir:"
	o, ok := option.ParseArgs(p, "ctr images "+verb, strip(rest), spec, option.GNU)
	if !ok {
		return 1
	}
	switch verb {
	case "list", "ls":
		if !o.Has("q") {
			p.Print("REF TYPE DIGEST SIZE PLATFORMS LABELS\n")
		}
		if namespace != "k8s.io" {
			return 0 // images of Kubernetes lie in that namespace only
		}
		for _, ref := range containerdImages("").all(p.Machine()) {
			if !matches(ref, o.Args) {
				continue
			}
			if o.Has("q") {
				p.Print(ref + "\n")
			} else {
				p.Printf("%s application/vnd.oci.image.index.v1+json %s 20.0 MiB linux/amd64 -\n", ref, digest(ref))
			}
		}
		return 0
	case "pull":
		if len(o.Args) != 1 {
			return p.Fail(1, "please provide an image reference to pull")
		}
		if err := pull(ctx, p.Machine(), containerdImages(o.Value("hosts-dir")), o.Args[0]); err != nil {
			return p.Fail(1, "%v", err)
		}
		p.Printf("%s: resolved\ndone\n", o.Args[0])
		return 0
	}
	return p.Fail(1, "'images %s' is not in the simulator's model of ctr", verb)
}

// strip drops empty words.
func strip(args []string) []string {
	var out []string
	for _, a := range args {
		if a != "" {
			out = append(out, a)
		}
	}
	return out
}

// matches applies ctr's filters "name==REF"; other filters match parts of the name.
func matches(ref string, filters []string) bool {
	for _, f := range filters {
		if name, ok := strings.CutPrefix(f, "name=="); ok {
			if ref != name {
				return false
			}
		} else if !strings.Contains(ref, f) {
			return false
		}
	}
	return true
}

// crictl talks to the runtime as the kubelet does.
func crictl(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "r,runtime-endpoint: i,image-endpoint: c,config: t,timeout:", option.First)
	if !ok {
		return 1
	}
	args := append(o.Args, "")
	if args[0] == "config" {
		return p.Fail(1, "'config' is not in the simulator's model: write /etc/crictl.yaml")
	}
	endpoint := "unix://" + containerdSocket
	if text, err := p.FS().ReadFile(p.Cred, "/etc/crictl.yaml"); err == nil {
		for line := range strings.Lines(text) {
			if v, ok := strings.CutPrefix(line, "runtime-endpoint:"); ok {
				endpoint = strings.Trim(strings.TrimSpace(v), `"`)
			}
		}
	}
	endpoint = o.Or("r", endpoint)
	if p.Cred.UID != 0 {
		return criFailed(p, `validate CRI v1 runtime API for endpoint "`+endpoint+`": rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix `+containerdSocket+`: connect: permission denied"`)
	}
	if err := runtimesOf(p.Kernel).available(endpoint); err != nil {
		return criFailed(p, err.Error())
	}
	return criCommand(ctx, p, runtimesOf(p.Kernel).at(endpoint), args[0], strip(args[1:]))
}

func criFailed(p *guest.Process, why string) int {
	p.Errorf(`time="%s" level=fatal msg=%q`, p.Kernel.Clock().UTC().Format("2006-01-02T15:04:05Z"), why)
	return 1
}

func criCommand(ctx context.Context, p *guest.Process, rt runtime, verb string, rest []string) int {
	o, ok := option.ParseArgs(p, "crictl "+verb, rest, "a,all q,quiet o,output: name: n,namespace: tail:", option.GNU)
	if !ok {
		return 1
	}
	switch verb {
	case "pull":
		if len(o.Args) != 1 {
			return criFailed(p, "image name cannot be empty")
		}
		if err := pull(ctx, p.Machine(), rt.images, o.Args[0]); err != nil {
			return criFailed(p, `pulling image: rpc error: code = Unknown desc = `+err.Error())
		}
		p.Printf("Image is up to date for %s\n", digest(canonical(o.Args[0])))
		return 0
	case "images", "image", "img":
		rows := [][]string{{"IMAGE", "TAG", "IMAGE ID", "SIZE"}}
		for _, ref := range rt.images.all(p.Machine()) {
			i := strings.LastIndexByte(ref, ':')
			rows = append(rows, []string{ref[:i], ref[i+1:], digest(ref)[7:20], "20MB"})
		}
		p.Print(table(rows))
		return 0
	case "inspecti":
		if len(o.Args) != 1 {
			return criFailed(p, "ID cannot be empty")
		}
		ref := canonical(o.Args[0])
		if !slices.Contains(rt.images.all(p.Machine()), ref) {
			return criFailed(p, "no such image \""+o.Args[0]+"\" present")
		}
		p.Printf("{\n  \"status\": {\n    \"id\": %q,\n    \"repoTags\": [%q]\n  }\n}\n", digest(ref), ref)
		return 0
	case "version":
		p.Printf("Version:  0.1.0\nRuntimeName:  %s\nRuntimeVersion:  %s\nRuntimeApiVersion:  v1\n", rt.name, rt.version)
		return 0
	case "info":
		p.Printf("{\n  \"status\": {\n    \"conditions\": [\n      {\"type\": \"RuntimeReady\", \"status\": true},\n      {\"type\": \"NetworkReady\", \"status\": %t}\n    ]\n  }\n}\n",
			networkProblem(p.Machine(), rt) == nil)
		return 0
	case "ps":
		return criList(p, o.Has("q"), o.Value("name"))
	}
	return criFailed(p, "'"+verb+"' is not in the simulator's model of crictl")
}

const registryConfig = "/etc/containerd/certs.d"

// criList lists the containers of the node.
func criList(p *guest.Process, quiet bool, name string) int {
	rows := [][]string{{"CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD"}}
	for _, c := range kubeletStateOf(p.Kernel).containers() {
		if !strings.Contains(c.name, name) {
			continue
		}
		id := digest(c.pod + c.name)[7:20]
		if quiet {
			p.Print(id + "\n")
		}
		rows = append(rows, []string{id, digest(c.image)[7:20], "a while ago", "Running", c.name, "0", digest(c.pod)[7:20], c.pod})
	}
	if !quiet {
		p.Print(table(rows))
	}
	return 0
}
