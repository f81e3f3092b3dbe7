//go:build !windows

package remote

import (
	"errors"
	"syscall"
)

// connectionRefused: nothing listens at the port.
func connectionRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// noRoute: the node's network cannot be reached, or nothing there has the address.
func noRoute(err error) bool {
	return errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EHOSTDOWN)
}

// connectionReset: the other side ended the connection.
func connectionReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
