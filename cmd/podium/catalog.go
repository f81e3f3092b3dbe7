package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"podium/provision/catalogue"
	"podium/provision/report"
)

const catalogLong = `Show what labs can ask for: every component with its versions, until when it gets fixes,
where it comes from, and the page that is known from. With names it shows all there is to those
components. The catalogue is part of podium; nothing is asked of the network (podium catalog check
does).`

func (a *app) catalogCommand() *cobra.Command {
	f := struct{ output outputFlag }{output: outputFlag{format: formatText, formats: []string{formatText, formatJSON}}}
	c := &cobra.Command{
		Use:               "catalog [COMPONENT...]",
		Short:             "Show versions, where they come from and what goes together",
		Long:              catalogLong,
		Example:           "  podium catalog\n  podium catalog kubernetes flannel\n  podium catalog -o json containerd\n  podium catalog check",
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeComponents,
		RunE: func(_ *cobra.Command, names []string) error {
			if err := knownComponents(names); err != nil {
				return err
			}
			chosen := chooseComponents(catalogue.All(), names)
			switch {
			case f.output.json():
				return a.printJSON(chosen)
			case len(names) == 0:
				a.printCatalog(chosen)
			default:
				for i, component := range chosen.Components {
					if i > 0 {
						fmt.Fprintln(a.stdout)
					}
					a.printComponent(component)
				}
			}
			return nil
		},
	}
	a.addOutput(c, &f.output)
	c.AddCommand(a.catalogCheckCommand())
	return c
}

func completeComponents(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	names := slices.DeleteFunc(componentNames(), func(name string) bool { return slices.Contains(given, name) })
	return names, cobra.ShellCompDirectiveNoFileComp
}

func componentNames() []string {
	var names []string
	for _, c := range catalogue.All().Components {
		names = append(names, c.Name)
	}
	return names
}

// knownComponents refuses names that the catalogue does not have.
func knownComponents(names []string) error {
	for _, name := range names {
		if _, ok := catalogue.All().Find(name); !ok {
			return usage("the catalogue has no component %q", name).hinted("it has: %s", strings.Join(componentNames(), ", "))
		}
	}
	return nil
}

// chooseComponents is the part of the catalogue that is about the components; without names, all of it.
func chooseComponents(c catalogue.Catalogue, names []string) catalogue.Catalogue {
	if len(names) == 0 {
		return c
	}
	whole := c
	c.Components = nil
	for _, p := range whole.Components {
		if slices.Contains(names, p.Name) {
			c.Components = append(c.Components, p)
		}
	}
	about := func(name string) bool { return slices.Contains(names, name) }
	c.Sources = slices.DeleteFunc(slices.Clone(whole.Sources), func(s catalogue.Source) bool {
		return !slices.ContainsFunc(c.Components, func(p catalogue.Component) bool { return comesFrom(whole, p, s) })
	})
	c.Rules = slices.DeleteFunc(slices.Clone(whole.Rules), func(r catalogue.Rule) bool {
		return !slices.ContainsFunc(slices.Collect(maps.Keys(r.When)), about)
	})
	c.Distributions = slices.DeleteFunc(slices.Clone(whole.Distributions), func(d catalogue.Distribution) bool {
		return !slices.ContainsFunc(slices.Collect(maps.Keys(d.Packages)), about)
	})
	c.Dead = nil
	c.Sets = slices.DeleteFunc(slices.Clone(whole.Sets), func(s catalogue.Set) bool {
		return !about("kubernetes") && !about("containerd") && !slices.ContainsFunc(slices.Collect(maps.Keys(s.With)), about)
	})
	return c
}

// comesFrom reports whether a component's files come from the source.
func comesFrom(c catalogue.Catalogue, p catalogue.Component, s catalogue.Source) bool {
	for _, url := range p.URLs {
		if found, ok := c.SourceOf(url); ok && found.Name == s.Name {
			return true
		}
	}
	return false
}

// printCatalog shows everything in two tables.
func (a *app) printCatalog(c catalogue.Catalogue) {
	t := report.Table{Head: []string{"COMPONENT", "VERSION", "ALSO", "FIXES UNTIL", "WHAT IT IS"}}
	for _, p := range c.Components {
		var also []string
		for _, r := range p.Versions {
			if !r.Default {
				also = append(also, r.Version)
			}
		}
		version := cmp.Or(p.Default().Version, "the distribution's")
		t.Row(p.Name, version, shortList(also, 6), string(p.Default().End), p.About)
	}
	t.Write(a.stdout)

	fmt.Fprintln(a.stdout, "\nWhat goes together:")
	columns := []string{"etcd", "coredns", "pause", "flannel", "calico", "cilium", "cri-o", "cri-dockerd"}
	sets := report.Table{Indent: "  ", Head: []string{"KUBERNETES", "FIXES UNTIL", "CONTAINERD"}}
	for _, name := range columns {
		sets.Head = append(sets.Head, strings.ToUpper(name))
	}
	kubernetes, _ := c.Find("kubernetes")
	for _, set := range c.Sets {
		r, _ := kubernetes.Release(set.Kubernetes)
		row := []string{set.Kubernetes, string(r.End), strings.Join(set.Containerd, ", ")}
		for _, name := range columns {
			row = append(row, set.With[name])
		}
		sets.Row(row...)
	}
	sets.Write(a.stdout)
	fmt.Fprintln(a.stdout, "\nMore of one: podium catalog COMPONENT. Is it still true: podium catalog check.")
}

// printComponent shows all there is to a component.
func (a *app) printComponent(p catalogue.Component) {
	fmt.Fprintf(a.stdout, "%s: %s\n", p.Name, p.About)
	if p.Distribution != "" {
		fmt.Fprintf(a.stdout, "  package of the distribution: %s\n", p.Distribution)
	}
	versions := report.Table{Indent: "  ", Head: []string{"VERSION", "RELEASED", "FIXES UNTIL", "WITH KUBERNETES"}}
	for _, r := range p.Versions {
		note := goesWith(p.Name, r.Version)
		if r.Default {
			note = strings.TrimSuffix("by default; "+note, "; ")
		}
		versions.Row(r.Version, string(r.Released), string(r.End), note)
	}
	if len(p.Versions) > 0 {
		versions.Write(a.stdout)
	}
	more := report.Table{Indent: "  "}
	for _, purpose := range slices.Sorted(maps.Keys(p.URLs)) {
		more.Row(purpose, p.URLs[purpose])
	}
	for _, file := range slices.Sorted(maps.Keys(p.SHA256)) {
		more.Row("sha256", file+": "+p.SHA256[file])
	}
	for _, image := range slices.Sorted(maps.Keys(p.Images)) {
		more.Row("image", p.Images[image])
	}
	for _, s := range catalogue.All().Sources {
		if s.Key != nil && s.Key.Fingerprint != "" && comesFrom(catalogue.All(), p, s) {
			key := s.Key.Fingerprint
			if s.Key.Expires != "" {
				key += " to " + string(s.Key.Expires)
			}
			more.Row("signed by", key)
		}
	}
	more.Row("read from", p.From+" on "+string(p.Checked))
	more.Write(a.stdout)
}

// goesWith lists the versions of Kubernetes that a component's version is the one for, and how that is known.
func goesWith(name, version string) string {
	var minors []string
	for _, set := range catalogue.All().Sets {
		if set.With[name] != version && !(name == "containerd" && slices.Contains(set.Containerd, version)) && !(name == "kubernetes" && set.Kubernetes == version) {
			continue
		}
		var how []string
		for _, tested := range set.Tested {
			if slices.Contains(tested.With, name) || name == "kubernetes" {
				how = addNew(how, tested.How)
			}
		}
		minor := set.Kubernetes
		if len(how) > 0 {
			minor += " (" + strings.Join(how, ", ") + ")"
		}
		minors = append(minors, minor)
	}
	return strings.Join(minors, ", ")
}
