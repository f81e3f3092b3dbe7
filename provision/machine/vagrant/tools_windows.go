package vagrant

import (
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows/registry"
)

// VirtualBoxFolders lists where VirtualBox may be installed: what its installer leaves in the environment and in the
// registry, then the usual folders. PATH rarely has it.
func VirtualBoxFolders(getenv func(string) string) []string {
	var folders []string
	for _, name := range []string{"VBOX_MSI_INSTALL_PATH", "VBOX_INSTALL_PATH"} {
		folders = append(folders, split(getenv(name))...)
	}
	folders = append(folders, registryText(`SOFTWARE\Oracle\VirtualBox`, "InstallDir")...)
	return append(folders, programFolders(getenv, `Oracle\VirtualBox`)...)
}

// VagrantFolders lists where Vagrant may be installed. Its installer extends PATH, but terminals that were open before
// do not know of it.
func VagrantFolders(getenv func(string) string) []string {
	folders := programFolders(getenv, `Vagrant\bin`)
	return append(folders, `C:\HashiCorp\Vagrant\bin`)
}

func programFolders(getenv func(string) string, below string) []string {
	var folders []string
	for _, name := range []string{"ProgramW6432", "ProgramFiles", "ProgramFiles(x86)"} {
		if dir := getenv(name); dir != "" {
			folders = append(folders, filepath.Join(dir, below))
		}
	}
	return append(folders, filepath.Join(`C:\Program Files`, below))
}

func registryText(key, name string) []string {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, key, registry.QUERY_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return nil
	}
	defer func() { _ = k.Close() }()
	text, _, err := k.GetStringValue(name)
	if err != nil {
		return nil
	}
	return split(text)
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ';' })
}
