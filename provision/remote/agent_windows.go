package remote

import (
	"context"
	"net"
	"os"
	"strings"

	"github.com/Microsoft/go-winio"
)

// agentPipe is where the Windows service "OpenSSH Authentication Agent" listens
// (PowerShell/openssh-portable, contrib/win32/win32compat/ssh-agent/agent.h: AGENT_PIPE_ID).
const agentPipe = `\\.\pipe\openssh-ssh-agent`

// dialAgent connects to the pipe that SSH_AUTH_SOCK names, or else to the system's agent.
func dialAgent(ctx context.Context) (net.Conn, error) {
	pipe := os.Getenv("SSH_AUTH_SOCK")
	if !strings.HasPrefix(pipe, `\\`) {
		pipe = agentPipe
	}
	return winio.DialPipeContext(ctx, pipe)
}
