//go:build !windows

package remote

import (
	"context"
	"errors"
	"net"
	"os"
)

// dialAgent connects to the agent that SSH_AUTH_SOCK names (ssh-agent(1)).
func dialAgent(ctx context.Context) (net.Conn, error) {
	socket := os.Getenv("SSH_AUTH_SOCK")
	if socket == "" {
		return nil, errors.New("SSH_AUTH_SOCK is not set")
	}
	return new(net.Dialer).DialContext(ctx, "unix", socket)
}
