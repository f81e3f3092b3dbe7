//go:build !windows

package vagrant

// VirtualBoxFolders lists where VirtualBox may be installed beside the folders of PATH.
func VirtualBoxFolders(func(string) string) []string {
	return []string{"/usr/local/bin", "/usr/bin", "/opt/homebrew/bin", "/Applications/VirtualBox.app/Contents/MacOS"}
}

// VagrantFolders lists where Vagrant may be installed beside the folders of PATH.
func VagrantFolders(func(string) string) []string {
	return []string{"/usr/local/bin", "/usr/bin", "/opt/vagrant/bin", "/opt/homebrew/bin"}
}
