package main

import (
	"fmt"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
)

const rootLong = `podium makes, resets and tears down virtual machine labs. One lab.yaml describes a lab;
"podium up" boots its Ubuntu machines and installs on them, over SSH and in parallel,
what the description asks for: Docker, Kubernetes, Jenkins, Prometheus, Grafana.

Which lab: a verb takes the lab's folder or its lab.yaml as first argument. Without one it uses
--lab, and else the nearest lab from the current folder upwards (a folder with lab.yaml or .podium).
After "podium up", every verb but up, plan and validate works from .podium alone, so that a lab
whose lab.yaml is broken or gone can still be looked at and ended.

A lab that comes from somebody else is code: its scripts run as root on its machines, and the
Vagrantfile inside its box runs on this computer, as Vagrant has it. podium reads and writes files in
the lab's folder only, and refuses a .podium that another user made or that was copied from another
lab: delete it, or take it over by --adopt.

Exit codes: 0 done, 1 failed, 2 wrong command line or lab.yaml, 3 this computer lacks something
that the lab needs, 130 interrupted. The first Ctrl-C ends what runs and keeps what is done; the
second leaves at once.

Environment: PODIUM_LOG (log level), PODIUM_MIRROR_* (fill the mirrors that lab.yaml leaves out),
NO_COLOR, TERM=dumb and CI (plain output). Your own mirrors for all labs: mirrors: in the file
podium/config.yaml below ~/.config, on Windows %AppData%, on macOS ~/Library/Application Support.`

const rootExample = `  podium init k8s-basic        # copy a built-in lab into this folder
  podium plan                  # what would be done
  podium up                    # make the lab
  podium status                # how it is
  podium ssh cp                # a shell on a node
  podium exec -- uptime        # a command on every node
  podium reset                 # back to its first good state
  podium destroy               # remove its machines`

// The groups that help sorts the verbs into.
const (
	groupLab   = "lab"
	groupNodes = "nodes"
	groupLearn = "learn"
	groupMore  = "more"
)

// rootCommand builds the whole command line.
func (a *app) rootCommand() *cobra.Command {
	var version bool
	root := &cobra.Command{
		Use:           "podium",
		Short:         "Labs of virtual machines from one file",
		Long:          rootLong,
		Example:       rootExample,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(c, args[0])
			}
			if version {
				return a.printVersion(formatText)
			}
			return c.Help()
		},
		PersistentPreRunE: func(c *cobra.Command, _ []string) error { return a.prepare(c) },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(helpCommand())
	root.SetHelpCommandGroupID(groupMore)
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(a.helpOf(root.HelpFunc()))
	root.PersistentFlags().StringVarP(&a.lab, "lab", "C", "", "the lab's `folder` or file (default: from the current folder upwards)")
	root.PersistentFlags().BoolVar(&a.adopt, "adopt", false, "work with a .podium that another user made, or that was copied from another lab: its machines, keys and state become this lab's")
	root.PersistentFlags().StringVar(&a.logLevel, "log-level", "", "log to stderr: trace, debug, info, warn, error or off (default: $PODIUM_LOG, or warn)")
	root.Flags().BoolVar(&version, "version", false, "say which podium this is")
	a.completeValues(root, "log-level", "trace", "debug", "info", "warn", "error", "off")

	root.AddGroup(
		&cobra.Group{ID: groupLab, Title: "Make and change a lab:"},
		&cobra.Group{ID: groupNodes, Title: "Work with its nodes:"},
		&cobra.Group{ID: groupLearn, Title: "Learn with it:"},
		&cobra.Group{ID: groupMore, Title: "More:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(groupLab, a.initCommand(), a.validateCommand(), a.planCommand(), a.renderCommand(), a.upCommand(), a.haltCommand(), a.destroyCommand(),
		a.resetCommand(), a.snapshotCommand(), a.repairCommand())
	copying := a.copyCommand()
	copying.ValidArgsFunction = a.completePlace
	add(groupNodes, a.statusCommand(), a.sshCommand(), a.execCommand(), copying, a.logsCommand())
	add(groupLearn, a.exerciseCommand(), a.exerciseCheckCommand("check"), a.exerciseHintCommand())
	add(groupMore, a.doctorCommand(), a.setupCommand(), a.catalogCommand(), a.schemaCommand(), a.versionCommand(), a.completionCommand(), a.simHostCommand())
	return root
}

// prepare runs before every verb.
func (a *app) prepare(c *cobra.Command) error {
	level := a.logLevel
	if level == "" {
		level = a.getenv("PODIUM_LOG")
	}
	if level == "" {
		level = "warn"
	}
	parsed := hclog.LevelFromString(level)
	if parsed == hclog.NoLevel {
		return usage("log level %q: write trace, debug, info, warn, error or off", level)
	}
	a.log = hclog.New(&hclog.LoggerOptions{Name: "podium", Level: parsed, Output: a.stderr})
	return nil
}

// helpCommand is cobra's own, but for a topic that does not exist, which is a mistake.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Help about a command",
		Long:    "Show the help of a command: the same as COMMAND --help.",
		Example: "  podium help up\n  podium help snapshot save",
		ValidArgsFunction: func(c *cobra.Command, given []string, start string) ([]string, cobra.ShellCompDirective) {
			of, _, err := c.Root().Find(given)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []string
			for _, sub := range of.Commands() {
				if sub.IsAvailableCommand() && strings.HasPrefix(sub.Name(), start) {
					names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, given []string) error {
			of, rest, err := c.Root().Find(given)
			if err != nil || len(rest) > 0 {
				if of == nil {
					of = c.Root()
				}
				return unknownCommand(of, append(rest, given...)[0])
			}
			of.InitDefaultHelpFlag()
			return of.Help()
		},
	}
}

// atLeastOne refuses counts below 1 that were given; 0 stands for the default where none was.
func atLeastOne(c *cobra.Command, flags ...string) error {
	for _, name := range flags {
		n, err := c.Flags().GetInt(name)
		if err != nil {
			return err
		}
		if c.Flags().Changed(name) && n < 1 {
			return usage("--%s %d: write a number from 1 on", name, n)
		}
	}
	return nil
}

// args checks the number of arguments of a verb; what names them in messages.
func args(least, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, given []string) error {
		switch {
		case len(given) < least:
			return usage("%s: missing argument: needs %s", verbOf(c), what).hinted("usage: %s", c.UseLine())
		case most >= 0 && len(given) > most:
			return usage("%s: too many arguments: %s", verbOf(c), quoteAll(given[most:])).hinted("usage: %s", c.UseLine())
		}
		return nil
	}
}

// verbOf is a verb as messages name it, which begin with podium already: "snapshot save".
func verbOf(c *cobra.Command) string { return strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" ") }

func quoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(quoted, " ")
}
