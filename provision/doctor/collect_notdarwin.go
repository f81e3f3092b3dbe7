//go:build unix && !darwin

package doctor

func translated() bool { return false }
