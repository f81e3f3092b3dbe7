package step

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// include is the line by which a guest script takes in a file of lib/. It is plain bash, so that the script runs from
// a checkout as it stands.
var include = regexp.MustCompile(`(?m)^\. "\$\(dirname "\$0"\)/(lib/[a-z-]+\.sh)"$`)

// Text reads the guest script called name and puts the lib files it takes in at the place of the lines that do so: the
// result is one file that runs alone. Line ends are LF. A missing file is an error that wraps fs.ErrNotExist.
func Text(guest fs.FS, name string) (string, error) {
	text, err := readLF(guest, name)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	rest := 0
	for _, at := range include.FindAllStringSubmatchIndex(text, -1) {
		lib := text[at[2]:at[3]]
		body, err := readLF(guest, lib)
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		out.WriteString(text[rest:at[0]])
		out.WriteString("# ---- " + lib + "\n" + body + "# ---- end of " + lib)
		rest = at[1]
	}
	out.WriteString(text[rest:])
	return out.String(), nil
}

func readLF(guest fs.FS, name string) (string, error) {
	text, err := fs.ReadFile(guest, name)
	if err != nil {
		return "", fmt.Errorf("guest script %s: %w", name, err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n"), nil
}
