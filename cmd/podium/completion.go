package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

const completionLong = `Write a completion script for your shell. It completes verbs, flags, and the names of the lab's
nodes, roles, steps and snapshots.

  bash        source <(podium completion bash)
              for every session: put that line into ~/.bashrc
  zsh         podium completion zsh > "${fpath[1]}/_podium"
  fish        podium completion fish > ~/.config/fish/completions/podium.fish
  powershell  podium completion powershell | Out-String | Invoke-Expression`

func (a *app) completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:       "completion bash|zsh|fish|powershell",
		Short:     "Write a completion script for your shell",
		Long:      completionLong,
		Example:   "  source <(podium completion bash)\n  podium completion zsh > \"${fpath[1]}/_podium\"",
		ValidArgs: shells,
		Args:      args(1, 1, "a shell: bash, zsh, fish or powershell"),
		RunE: func(c *cobra.Command, given []string) error {
			root := c.Root()
			switch given[0] {
			case "bash":
				return a.bashCompletion(root)
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

// wordsWithoutPackage stands in for two functions of the package bash-completion, which many computers lack. The first takes
// the words of the line apart at blanks only, as its option -n is given; the second completes files and folders.
const wordsWithoutPackage = `if ! declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref() {
        local line="${COMP_LINE:0:COMP_POINT}"
        read -r -a words <<<"$line"
        [[ -n $line && $line != *[[:space:]] ]] || words+=("")
        cword=$((${#words[@]} - 1))
        cur=${words[cword]}
        prev=""
        ((cword == 0)) || prev=${words[cword - 1]}
    }
fi
if ! declare -F _filedir >/dev/null; then
    _filedir() {
        local kind=-f
        [[ ${1-} != -d ]] || kind=-d
        mapfile -t COMPREPLY < <(compgen "$kind" -- "$cur")
    }
fi
`

// bashCompletion writes cobra's script, and what it needs where the package bash-completion is missing.
func (a *app) bashCompletion(root *cobra.Command) error {
	if err := root.GenBashCompletionV2(a.stdout, true); err != nil {
		return err
	}
	_, err := fmt.Fprint(a.stdout, "\n"+wordsWithoutPackage)
	return err
}
