package doctor

import (
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/windows"
)

// hardware is the computer's processor, also when podium itself was made for another.
func hardware() string {
	const arm64 = 0xaa64 // IMAGE_FILE_MACHINE_ARM64
	var process, native uint16
	if err := windows.IsWow64Process2(windows.CurrentProcess(), &process, &native); err == nil && native == arm64 {
		return "arm64"
	}
	return runtime.GOARCH
}

// freeSpace is what this user may still write at path, or at its nearest folder that exists. 0: not known.
func freeSpace(path string) int64 {
	for {
		name, err := windows.UTF16PtrFromString(path)
		if err != nil {
			return 0
		}
		var free uint64
		if err := windows.GetDiskFreeSpaceEx(name, &free, nil, nil); err == nil {
			return int64(free)
		}
		if path == filepath.Dir(path) {
			return 0
		}
		path = filepath.Dir(path)
	}
}

// SystemLanguage is the language that Windows shows its windows in.
func SystemLanguage() string {
	languages, err := windows.GetUserPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil {
		return ""
	}
	return strings.Join(languages[:min(1, len(languages))], "")
}
