//go:build !windows

package remote_test

import (
	"testing"

	"podium/provision/remote"
	"podium/provision/remote/remotetest"
)

// BenchmarkSSHDRun is one command after the other over one connection to a real sshd.
func BenchmarkSSHDRun(b *testing.B) {
	s := remotetest.OpenSSH(b, remotetest.SSHDOptions{})
	c, err := remote.NewDialer(remote.DialOptions{}).Connect(b.Context(), s.Endpoint("w1"))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	for b.Loop() {
		if _, err := c.Run(b.Context(), remote.Command{Args: []string{"true"}}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSSHDConnect is connecting and logging in to a real sshd.
func BenchmarkSSHDConnect(b *testing.B) {
	s := remotetest.OpenSSH(b, remotetest.SSHDOptions{})
	d := remote.NewDialer(remote.DialOptions{})
	for b.Loop() {
		c, err := d.Connect(b.Context(), s.Endpoint("w1"))
		if err != nil {
			b.Fatal(err)
		}
		_ = c.Close()
	}
}
