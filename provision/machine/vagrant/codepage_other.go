//go:build !windows

package vagrant

// Text is what a program of VirtualBox or Vagrant wrote, in UTF-8.
func Text(out []byte) string { return string(out) }

// ConsoleText is the same for a program that writes as its console does.
func ConsoleText(out []byte) string { return string(out) }
