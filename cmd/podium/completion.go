package main

import (
	"github.com/spf13/cobra"
)

const completionLong = `Write a completion script for your shell. It completes verbs, flags, and the names of the lab's
nodes, roles, steps and snapshots.

  bash        source <(podium completion bash)
              for every session: podium completion bash > /etc/bash_completion.d/podium
  zsh         podium completion zsh > "${fpath[1]}/_podium"
  fish        podium completion fish > ~/.config/fish/completions/podium.fish
  powershell  podium completion powershell | Out-String | Invoke-Expression`

func (a *app) completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:       "completion bash|zsh|fish|powershell",
		Short:     "Write a completion script for your shell",
		Long:      completionLong,
		Example:   "  podium completion bash > /etc/bash_completion.d/podium",
		ValidArgs: shells,
		Args:      args(1, 1, "a shell: bash, zsh, fish or powershell"),
		RunE: func(c *cobra.Command, given []string) error {
			root := c.Root()
			switch given[0] {
			case "bash":
				return root.GenBashCompletionV2(a.stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.stdout)
			case "fish":
				return root.GenFishCompletion(a.stdout, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.stdout)
			}
			return usage("completion: shell %q is not known: write bash, zsh, fish or powershell", given[0])
		},
	}
}
