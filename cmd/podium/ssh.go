package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"podium/provision/remote"
)

const sshLong = `Open a shell on a node, or run one command there with this terminal's input and output. NODE can be
left out when the lab has only one. The exit code is that of the shell or the command. As with
OpenSSH, Enter ~ . leaves a node that does not answer any more.

For a command on several nodes see "podium exec".`

func (a *app) sshCommand() *cobra.Command {
	f := struct {
		on      selection
		sudo    bool
		noStdin bool
	}{}
	c := &cobra.Command{
		Use:   "ssh [LAB] [NODE] [-- COMMAND...]",
		Short: "Open a shell on a node",
		Long:  sshLong,
		Example: `  podium ssh cp
  podium ssh labs/docker
  podium ssh cp -- kubectl get nodes -o wide
  podium ssh w1 -- "journalctl -u kubelet | tail"
  podium ssh w1 -- cat /etc/hosts > hosts.txt`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: a.completeNode,
		RunE: func(c *cobra.Command, given []string) error {
			dash := c.ArgsLenAtDash()
			if dash < 0 {
				dash = len(given)
			}
			labs, rest := splitLab(given[:dash])
			where, err := a.folder(labs)
			if err != nil {
				return err
			}
			command := given[dash:]
			if len(rest) > 1 {
				if len(command) > 0 {
					return usage("%s: too many arguments before --: %s", verbOf(c), quoteAll(rest[1:])).hinted("usage: %s", c.UseLine())
				}
				rest, command = rest[:1], rest[1:]
			}
			if len(rest) > 0 && f.on.given() {
				return usage("a node is named twice, as %q and by --on or --role: leave one out", rest[0])
			}
			if len(rest) > 0 {
				f.on.nodes = rest
			}
			if f.noStdin && len(command) == 0 {
				return usage("--no-stdin is for a command: a shell without input ends at once").hinted("usage: %s", c.UseLine())
			}
			return a.ssh(c.Context(), where, f.on, command, f.sudo, f.noStdin)
		},
	}
	a.addSelection(c, &f.on)
	c.Flags().BoolVar(&f.sudo, "sudo", false, "run the command as root")
	c.Flags().BoolVarP(&f.noStdin, "no-stdin", "n", false, "leave stdin alone, as a loop that reads its own input needs (while read)")
	return c
}

func (a *app) ssh(ctx context.Context, where labRef, on selection, words []string, sudo, noStdin bool) error {
	b, err := a.reachable(ctx, where)
	if err != nil {
		return err
	}
	node, err := b.oneNode(on)
	if err != nil {
		return err
	}
	client, err := a.connect(ctx, b, node)
	if err != nil {
		return err
	}
	defer client.Close()
	var command remote.Command
	switch {
	case len(words) > 0:
		command = commandOf(words, sudo)
	case sudo:
		command = remote.Command{Args: []string{"bash", "-l"}, Sudo: true}
	}
	if noStdin {
		command.Stdout, command.Stderr = a.stdout, a.stderr
		_, err := client.Run(ctx, command)
		return exitOf(err)
	}
	return exitOf(a.session(ctx, client, command))
}

// session runs a command or shell with this terminal, or between pipes.
func (a *app) session(ctx context.Context, client *remote.Client, command remote.Command) error {
	in, isFile := a.Stdin.(*os.File)
	if a.screen.stdin && a.screen.stdout && isFile {
		return client.Shell(ctx, remote.TerminalOptions{Command: command, In: in, Out: a.screen.out, Term: a.getenv("TERM")})
	}
	if len(command.Args) == 0 && command.Shell == "" {
		command.Shell = "exec ${SHELL:-/bin/sh} -l" // its script comes on stdin
	}
	command.Stdin, command.Stdout, command.Stderr = a.Stdin, a.stdout.raw(), a.stderr.raw()
	_, err := client.Run(ctx, command)
	return err
}

// exitOf hands the exit code of a command on without a word of our own: the command has said what there is to say.
func exitOf(err error) error {
	var exit *remote.ExitError
	if errors.As(err, &exit) && !errors.Is(err, remote.ErrSudo) {
		return exitStatus(exit.Code)
	}
	return err
}

// oneNode is the node that was chosen, or the only one.
func (b *labSession) oneNode(on selection) (string, error) {
	names, err := b.selectNodes(on)
	switch {
	case err != nil:
		return "", err
	case len(names) == 1:
		return names[0], nil
	case on.given():
		return "", usage("ssh opens a shell on one node, and these are %d: %s", len(names), listNames(names)).
			hinted("for a command on all of them: podium exec%s --on %s -- COMMAND", b.arg, joinNames(names, ","))
	}
	return "", usage("which node? There are %s", listNames(names)).hinted("podium ssh%s %s", b.arg, names[0])
}
