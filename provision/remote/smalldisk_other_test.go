//go:build !windows && !linux

package remote_test

import "testing"

func smallDisk(t *testing.T) string {
	t.Skip("skipped: needs Linux to mount a small file system")
	return ""
}
