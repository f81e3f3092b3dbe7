package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"podium/provision/doctor"
	"podium/provision/plan"
)

// complete answers the shell. It must be quick and silent, also in a folder without a lab.
type complete = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// completeLabs lets the shell complete a path.
func completeLabs(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(given) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// offers are the names that a lab has for completion.
type offers struct {
	nodes, roles, steps, tasks, tags []string
}

// offersOf collects them for the lab among the words given so far.
func (a *app) offersOf(given []string) offers {
	labs, _ := splitLab(given)
	where, err := a.folder(labs)
	if err != nil {
		return offers{}
	}
	return a.offersIn(where)
}

// namesIn lists the nodes of a lab.
func (a *app) namesIn(where labRef) []string { return a.offersIn(where).nodes }

// offersIn takes from what podium remembers, and from the description for a lab that was not made yet.
func (a *app) offersIn(where labRef) offers {
	var o offers
	if known, err := where.state.Load(); err == nil {
		b := labSession{labRef: where, known: known}
		b.lab, _ = applied(where, known)
		o.nodes, o.roles = b.nodeNames(), b.nodes().allRoles()
		for _, s := range known.Snapshots {
			o.tags = append(o.tags, s.Tag)
		}
	}
	p, err := a.describe(where, "")
	if err != nil {
		return o
	}
	for _, m := range p.Machines {
		o.nodes = addNew(o.nodes, m.Name)
		for _, role := range m.Roles {
			o.roles = addNew(o.roles, role)
		}
	}
	o.addTasks(p)
	return o
}

func (o *offers) addTasks(p plan.Plan) {
	for _, t := range p.Tasks {
		if t.Step != plan.StepBoot {
			o.steps = addNew(o.steps, t.Step)
			o.tasks = append(o.tasks, string(t.ID))
		}
	}
	for _, m := range p.Machines {
		o.tasks = append(o.tasks, m.Name+"/*")
	}
}

func addNew(list []string, name string) []string {
	if slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}

// completeFlag registers what completes a flag.
func completeFlag(c *cobra.Command, flag string, f complete) {
	if err := c.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err) // the flag was not defined: a mistake in this package
	}
}

// completeNodes completes a list of nodes, the names typed already left out.
func (a *app) completeNodes(c *cobra.Command, flag string) {
	completeFlag(c, flag, func(_ *cobra.Command, given []string, typed string) ([]string, cobra.ShellCompDirective) {
		return continueList(a.offersOf(given).nodes, typed)
	})
}

// completeRoles completes a list of roles.
func (a *app) completeRoles(c *cobra.Command, flag string) {
	completeFlag(c, flag, func(_ *cobra.Command, given []string, typed string) ([]string, cobra.ShellCompDirective) {
		return continueList(a.offersOf(given).roles, typed)
	})
}

// completeTasks completes what --force takes.
func (a *app) completeTasks(c *cobra.Command, flag string) {
	completeFlag(c, flag, func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
		o := a.offersOf(given)
		return append(o.steps, o.tasks...), cobra.ShellCompDirectiveNoFileComp
	})
}

// completeTags completes the name of a snapshot.
func (a *app) completeTags(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.offersOf(given).tags, cobra.ShellCompDirectiveNoFileComp
}

// completeNodeStep completes [LAB] NODE STEP.
func (a *app) completeNodeStep(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	o := a.offersOf(given)
	switch _, rest := splitLab(given); len(rest) {
	case 0:
		return o.nodes, cobra.ShellCompDirectiveDefault
	case 1:
		steps := o.steps
		for _, name := range a.logsOffered(given, rest[0]) {
			steps = addNew(steps, name)
		}
		return steps, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// completePlace completes the arguments of copy: files of this computer, and NODE: for a path on a node.
func (a *app) completePlace(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	if strings.ContainsAny(typed, ":/\\.") {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var places []string
	for _, name := range a.offersOf(nil).nodes {
		if strings.HasPrefix(name, typed) {
			places = append(places, name+":")
		}
	}
	if len(places) == 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return places, cobra.ShellCompDirectiveNoSpace
}

// completeFindings completes the IDs of the doctor's findings.
func completeFindings(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return doctor.IDs(), cobra.ShellCompDirectiveNoFileComp
}

// logsOffered lists the logs that there are of a node: of steps, and of what is no step, such as the checks after a boot.
func (a *app) logsOffered(given []string, node string) []string {
	labs, _ := splitLab(given)
	where, err := a.folder(labs)
	if err != nil {
		return nil
	}
	paths, err := logsOf(where, node)
	if err != nil {
		return nil
	}
	var steps []string
	for _, path := range paths {
		steps = append(steps, stepOf(path))
	}
	return steps
}

// completeNode completes [LAB] NODE.
func (a *app) completeNode(c *cobra.Command, given []string, typed string) ([]string, cobra.ShellCompDirective) {
	if _, rest := splitLab(given); len(rest) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeNodeStep(c, given, typed)
}

// continueList offers names for the end of a comma-separated list.
func continueList(names []string, typed string) ([]string, cobra.ShellCompDirective) {
	head := ""
	if i := strings.LastIndexByte(typed, ','); i >= 0 {
		head = typed[:i+1]
	}
	var out []string
	for _, name := range names {
		if !slices.Contains(strings.Split(head, ","), name) {
			out = append(out, head+name)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
