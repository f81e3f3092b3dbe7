package remote

import (
	"errors"

	"golang.org/x/sys/windows"
)

// Windows has numbers of its own for these; syscall.ECONNREFUSED and the like are not among what it returns.

// connectionRefused: nothing listens at the port.
func connectionRefused(err error) bool { return errors.Is(err, windows.WSAECONNREFUSED) }

// noRoute: the node's network cannot be reached, or nothing there has the address.
func noRoute(err error) bool {
	return errors.Is(err, windows.WSAEHOSTUNREACH) || errors.Is(err, windows.WSAENETUNREACH) || errors.Is(err, windows.WSAEHOSTDOWN)
}

// connectionReset: the other side ended the connection.
func connectionReset(err error) bool {
	return errors.Is(err, windows.WSAECONNRESET) || errors.Is(err, windows.WSAECONNABORTED)
}
