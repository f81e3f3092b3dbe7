package cluster

import (
	"context"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

// helm says its version, and that nothing is installed by it.
func helm(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "kubeconfig: n,namespace: A,all-namespaces short client f,values: kube-version:", option.GNU)
	if !ok {
		return 1
	}
	verb := ""
	if len(o.Args) > 0 {
		verb = o.Args[0]
	}
	switch verb {
	case "version":
		v := "v" + version(p, "4.2.4")
		if o.Has("short") {
			p.Print(v + "+gsimulated\n")
			return 0
		}
		p.Printf("version.BuildInfo{Version:%q, GitCommit:\"simulated\", GitTreeState:\"clean\"}\n", v)
		return 0
	case "template":
		return helmTemplate(p, o)
	case "list", "ls":
		file := o.Or("kubeconfig", or(p.Getenv("KUBECONFIG"), p.Getenv("HOME")+"/.kube/config"))
		conf, err := readKubeconfig(p.FS(), p.Cred, p.Path(file), "")
		if err == nil {
			_, err = connect(ctx, p.Kernel, conf)
		}
		if err != nil {
			p.Errorf("Error: Kubernetes cluster unreachable: %v", err)
			return 1
		}
		p.Print("NAME\tNAMESPACE\tREVISION\tUPDATED\tSTATUS\tCHART\tAPP VERSION\n")
		return 0
	}
	p.Errorf("Error: unknown command %q for \"helm\" (or one that the simulator's model does not have)", verb)
	return 1
}
