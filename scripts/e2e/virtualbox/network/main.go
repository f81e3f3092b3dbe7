//go:build linux

// Command network joins machines whose cards are ends of UDP cables (VirtualBox's driver UDPTunnel) and a card of this
// computer to one Ethernet. VirtualBox's own host-only networks need its kernel module. It is a test program.
//
// usage: network PORTS-FILE CARD ADDRESS/BITS
//
// Its own end is 127.0.0.1:20000. The machines' ends are the ports from 20001 to the number in PORTS-FILE.
package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const firstPort = 20000

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: network PORTS-FILE CARD ADDRESS/BITS")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "network:", err)
		os.Exit(1)
	}
}

func run(portsFile, card, address string) error {
	cables, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: firstPort})
	if err != nil {
		return err
	}
	tap, err := openTap(card, address)
	if err != nil {
		return fmt.Errorf("card %s: %w", card, err)
	}
	// send gives a frame to every machine but the one that it comes from.
	send := func(frame []byte, from int) {
		for port := firstPort + 1; port <= lastPort(portsFile); port++ {
			if port != from {
				_, _ = cables.WriteToUDP(frame, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}) // one that is off refuses
			}
		}
	}
	failed := make(chan error)
	go func() {
		frame := make([]byte, 65536)
		for {
			n, err := tap.Read(frame)
			if err != nil {
				failed <- err
				return
			}
			send(frame[:n], 0)
		}
	}()
	go func() {
		frame := make([]byte, 65536)
		for {
			n, from, err := cables.ReadFromUDP(frame)
			if err != nil {
				continue // "connection refused" of a machine that is off
			}
			send(frame[:n], from.Port)
			_, _ = tap.Write(frame[:n])
		}
	}()
	return <-failed
}

// lastPort is the last end that a machine has; the file grows while this program runs.
func lastPort(file string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		return firstPort
	}
	port, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return firstPort
	}
	return port
}

// openTap makes a card of this computer whose frames are read and written here.
func openTap(name, address string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	request, err := unix.NewIfreq(name)
	if err != nil {
		return nil, err
	}
	request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		return nil, err
	}
	for _, args := range [][]string{{"address", "add", address, "dev", name}, {"link", "set", name, "up"}} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, out)
		}
	}
	return os.NewFile(uintptr(fd), "/dev/net/tun"), nil
}
