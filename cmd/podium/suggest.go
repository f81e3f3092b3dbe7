package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"podium/provision/lab"
)

// unknownCommand names what might have been meant: the word of another tool, or a slip.
func unknownCommand(c *cobra.Command, name string) error {
	err := usage("unknown command %q for %q", name, c.CommandPath())
	if verb := elsewhere(c, name); verb != "" {
		return err.hinted("did you mean: %s", verb)
	}
	if near := similar(c, name); len(near) > 0 {
		return err.hinted("did you mean: %s", strings.Join(near, ", or "))
	}
	return err.hinted("see: %s --help", c.CommandPath())
}

// elsewhere translates the words that other tools use for a verb of podium's. It never answers to a harmless word with
// a verb that destroys work.
func elsewhere(c *cobra.Command, word string) string {
	if c.Name() == "snapshot" {
		switch strings.ToLower(word) {
		case "rm", "remove", "del", "drop", "forget":
			return aboutVerb(c, "delete")
		case "create", "take", "push", "add", "new":
			return aboutVerb(c, "save")
		case "ls", "show":
			return aboutVerb(c, "list")
		case "pop", "revert", "rollback", "apply", "load", "back":
			return aboutVerb(c, "restore")
		}
		return ""
	}
	if c.HasParent() {
		return ""
	}
	switch strings.ToLower(word) {
	case "start", "run", "create", "make", "apply", "provision", "reload", "restart", "resume", "deploy", "launch", "boot", "update", "converge":
		return aboutVerb(c, "up")
	case "stop", "down", "suspend", "shutdown", "poweroff", "pause":
		return aboutVerb(c, "halt")
	case "list", "ls", "ps", "info", "show", "inspect", "get", "describe", "global-status", "state":
		return aboutVerb(c, "status") + "; the built-in labs: podium init --list"
	case "open", "urls", "dashboard", "service":
		return aboutVerb(c, "status") + ", which lists the lab's web pages"
	case "delete", "rm", "remove", "del", "undeploy":
		return aboutVerb(c, "destroy") + "; for a snapshot: podium snapshot delete"
	case "ssh-config", "inventory", "address", "ip":
		return "podium status -o json (it has each node's address, port and user)"
	case "kubeconfig", "kubectl", "k":
		return "podium ssh cp -- kubectl get nodes (a control plane has kubectl and its kubeconfig)"
	case "shell", "login", "connect", "console", "attach", "sh", "bash":
		return aboutVerb(c, "ssh")
	case "scp", "rsync", "push", "pull", "upload", "download", "put":
		return aboutVerb(c, "copy")
	case "lint", "verify", "config", "test":
		return aboutVerb(c, "validate") + "; to rehearse the lab: podium up --provider sim"
	case "diff", "preview", "dry-run":
		return aboutVerb(c, "plan")
	case "new", "box", "boxes", "labs", "templates":
		return aboutVerb(c, "init")
	case "log", "history", "events":
		return aboutVerb(c, "logs")
	case "fix", "heal":
		return aboutVerb(c, "repair")
	case "upgrade":
		return "podium up, after a newer kubernetes.version was written into lab.yaml"
	case "preflight", "diagnose", "prerequisites":
		return aboutVerb(c, "doctor")
	case "snapshots", "backup", "save", "restore", "rollback":
		return aboutVerb(c, "snapshot")
	case "parallel", "shell-all", "ansible", "cssh", "pssh":
		return aboutVerb(c, "exec")
	}
	return ""
}

// aboutVerb is a verb with what it does: "podium halt (stop the lab's machines)".
func aboutVerb(parent *cobra.Command, name string) string {
	for _, c := range parent.Commands() {
		if c.Name() == name {
			return fmt.Sprintf("%s (%s)", c.CommandPath(), strings.ToLower(c.Short[:1])+c.Short[1:])
		}
	}
	return parent.CommandPath() + " " + name
}

// similar lists the verbs that a word may be a slip or the beginning of. The limit is one slip in three letters: "test" is
// not close to "reset".
func similar(c *cobra.Command, word string) []string {
	var names, begun []string
	for _, sub := range c.Commands() {
		if !sub.IsAvailableCommand() {
			continue
		}
		names = append(append(names, sub.Name()), sub.Aliases...)
		if len(word) > 1 && strings.HasPrefix(sub.Name(), strings.ToLower(word)) {
			begun = append(begun, aboutVerb(c, sub.Name()))
		}
	}
	if len(begun) > 0 {
		return begun
	}
	name := lab.Nearest(strings.ToLower(word), names, max(1, len(word)/3))
	if len(word) < 3 || name == "" {
		return nil
	}
	return []string{aboutVerb(c, name)}
}

// flagError words an error of a flag. A flag behind an unknown verb is the verb's fault.
func flagError(c *cobra.Command, err error) error {
	if unknown := unknownWord(c); unknown != nil {
		return unknown
	}
	problem := usage("%w", err)
	see := fmt.Sprintf("see: %s --help", c.CommandPath())
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
		return problem.hinted("%s", see)
	}
	if near := similarFlag(c, unknown.GetSpecifiedName()); near != "" {
		return problem.hinted("did you mean: %s\n%s", near, see)
	}
	return problem.hinted("%s", see)
}

// similarFlag is the flag that was probably meant: by a slip, or by the word of another tool.
func similarFlag(c *cobra.Command, name string) string {
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	meant := ""
	switch name {
	case "node", "nodes", "host", "hosts", "limit", "machine", "machines", "target", "only":
		meant = "on"
	case "roles", "group", "groups", "selector":
		meant = "role"
	case "force", "assume-yes", "auto-approve", "no-confirm", "quiet":
		meant = "yes"
	case "become", "root":
		meant = "sudo"
	case "json", "yaml", "format":
		meant = "output"
	case "dry-run", "check", "what-if":
		if c.Name() == "up" {
			return "podium plan (" + "show what up would do)"
		}
	}
	if !slices.Contains(names, meant) {
		meant = lab.Nearest(name, names, len(name)/3+1)
	}
	if meant == "" {
		return ""
	}
	return "--" + meant
}

// helpOf shows a verb's help, but not for a verb that does not exist: then the help shown would be that of its parent.
func (a *app) helpOf(show func(*cobra.Command, []string)) func(*cobra.Command, []string) {
	return func(c *cobra.Command, given []string) {
		if a.helpError = unknownWord(c); a.helpError == nil {
			show(c, given)
		}
	}
}

// unknownWord is the error about the word after a verb that has verbs of its own; nil when there is none.
func unknownWord(c *cobra.Command) error {
	rest := c.Flags().Args()
	switch {
	case !c.HasSubCommands() || len(rest) == 0:
		return nil
	case c.Name() == "catalog": // it takes components too
		return knownComponents(rest)
	}
	return unknownCommand(c, rest[0])
}
