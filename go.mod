module podium

go 1.26.0

require (
	charm.land/bubbletea/v2 v2.0.9 // the live view of up
	github.com/Microsoft/go-winio v0.6.4 // the SSH agent's pipe on Windows
	github.com/cenkalti/backoff/v5 v5.0.3 // pauses between attempts
	github.com/charmbracelet/x/ansi v0.11.8 // widths and colours of the terminal, as the live view's library counts them
	github.com/gofrs/flock v0.13.1 // the lab's lock, on all three systems
	github.com/google/go-cmp v0.7.0 // tests: what differs
	github.com/hashicorp/go-hclog v1.6.3 // logging
	github.com/invopop/jsonschema v0.14.0 // lab.yaml's schema from its types
	github.com/muesli/cancelreader v0.2.2 // a question that Ctrl-C can end
	github.com/pkg/sftp v1.13.12 // copies, and the servers of tests and simulator
	github.com/rogpeppe/go-internal v1.16.0 // tests: scripts of the command line
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // tests: a validator that is not ours
	github.com/spf13/cobra v1.10.2 // verbs, flags, help, completion
	github.com/spf13/pflag v1.0.9 // cobra's flags
	github.com/tidwall/gjson v1.20.2 // fields of what kubectl and docker print
	go.uber.org/goleak v1.3.0 // tests: no goroutine stays behind
	go.yaml.in/yaml/v3 v3.0.6 // lab.yaml; the kept fork of yaml.v3
	golang.org/x/crypto v0.58.0 // SSH
	golang.org/x/net v0.62.0 // packets of the DNS
	golang.org/x/sync v0.24.0 // limits of what runs side by side
	golang.org/x/sys v0.49.0 // Windows: console, registry, processes
	golang.org/x/term v0.47.0 // raw mode, sizes
	mvdan.cc/sh/v3 v3.14.1 // bash's syntax: of a lab's own scripts, and the simulator's shell
)

require (
	github.com/aymanbagabas/go-udiff v0.4.1 // indirect
	github.com/bahlo/generic-list-go v0.2.0 // indirect
	github.com/buger/jsonparser v1.1.2 // indirect
	github.com/charmbracelet/colorprofile v0.4.3 // indirect
	github.com/charmbracelet/ultraviolet v0.0.0-20260811164956-006e29f97886 // indirect
	github.com/charmbracelet/x/exp/golden v0.0.0-20250806222409-83e3a29d542f // indirect
	github.com/charmbracelet/x/term v0.2.2 // indirect
	github.com/charmbracelet/x/termios v0.1.1 // indirect
	github.com/charmbracelet/x/windows v0.2.2 // indirect
	github.com/clipperhouse/displaywidth v0.11.0 // indirect
	github.com/clipperhouse/uax29/v2 v2.7.0 // indirect
	github.com/fatih/color v1.13.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/kr/fs v0.1.0 // indirect
	github.com/lucasb-eyer/go-colorful v1.4.1 // indirect
	github.com/mattn/go-colorable v0.1.12 // indirect
	github.com/mattn/go-isatty v0.0.14 // indirect
	github.com/mattn/go-runewidth v0.0.31 // indirect
	github.com/pb33f/ordered-map/v2 v2.3.1 // indirect
	github.com/rivo/uniseg v0.4.7 // indirect
	github.com/tidwall/match v1.1.1 // indirect
	github.com/tidwall/pretty v1.3.0 // indirect
	github.com/xo/terminfo v0.0.0-20220910002029-abceb7e1c41e // indirect
	go.yaml.in/yaml/v4 v4.0.0-rc.2 // indirect
	golang.org/x/exp v0.0.0-20231006140011-7918f672742d // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/tools v0.51.0 // indirect
)
