package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"podium/provision/machine"
)

const renderLong = `Write the Vagrantfile of a lab for VirtualBox or libvirt without booting anything. It is plain Ruby
and works with Vagrant alone; up writes it too. With --print it goes to the screen instead.

With --step, write what a node gets for one step instead: the script with its libraries, its
variables, its files and run.sh, which does by hand what podium does. This works with every
provider. Secrets of the lab that the step needs are in there too.`

func (a *app) renderCommand() *cobra.Command {
	f := struct {
		provider       string
		print          bool
		step, node, to string
	}{}
	c := &cobra.Command{
		Use:               "render [LAB]",
		Short:             "Write the lab's Vagrantfile, or what a step gets, without booting",
		Long:              renderLong,
		Example:           "  podium render\n  podium render labs/k8s-basic --print\n  podium render labs/k8s-basic --step kubeadm-init --on cp",
		Args:              args(0, 1, "at most one lab"),
		ValidArgsFunction: completeLabs,
		RunE: func(c *cobra.Command, given []string) error {
			where, err := a.folder(given)
			if err != nil {
				return err
			}
			if f.step != "" {
				return a.renderStep(where, f.provider, f.step, f.node, f.to)
			}
			if f.node != "" || f.to != "" {
				return usage("--on and --to go with --step")
			}
			return a.render(c.Context(), where, f.provider, f.print)
		},
	}
	a.addProvider(c, &f.provider)
	c.Flags().BoolVar(&f.print, "print", false, "print it and write nothing")
	c.Flags().StringVar(&f.step, "step", "", "write what a node gets for this `step`")
	c.Flags().StringVar(&f.node, "on", "", "the `node` of --step (default: the first that has the step)")
	c.Flags().StringVar(&f.to, "to", "", "the `folder` that --step writes (default: NODE-STEP)")
	c.MarkFlagsMutuallyExclusive("step", "print")
	a.completeNodes(c, "on")
	return c
}

func (a *app) render(ctx context.Context, where labRef, provider string, toScreen bool) error {
	b, err := a.described(where, provider)
	if err != nil {
		return err
	}
	made, err := a.provider(b)
	if err != nil {
		return err
	}
	p, ok := made.(machine.Renderer)
	if !ok {
		return usage("provider %s needs no Vagrantfile: render is for virtualbox and libvirt", b.lab.Provider).
			hinted("see what up would do: podium plan%s", b.arg)
	}
	spec := machine.Spec{Lab: b.lab, Machines: b.plan.Machines}
	if toScreen {
		text, err := p.Render(spec)
		if err != nil {
			return err
		}
		_, err = io.WriteString(a.stdout, text)
		return err
	}
	unlock, err := a.lock(ctx, where, "render")
	if err != nil {
		return err
	}
	defer unlock()
	path, err := p.WriteVagrantfile(spec)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "wrote %s\n", path)
	return nil
}
