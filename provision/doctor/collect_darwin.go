package doctor

import "golang.org/x/sys/unix"

// translated reports whether Rosetta runs this program (Apple, "About the Rosetta translation environment").
func translated() bool {
	n, err := unix.SysctlUint32("sysctl.proc_translated")
	return err == nil && n == 1
}
