package step

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"unicode/utf8"
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
	data, err := fs.ReadFile(guest, name)
	if err != nil {
		return "", fmt.Errorf("guest script %s: %w", name, err)
	}
	return ScriptText(data)
}

// ScriptText is the text of a script as bash takes it: what editors on Windows put before it and at its line ends is
// dropped. Text in another encoding than UTF-8 is an error that says what to do: bash would run something else.
func ScriptText(data []byte) (string, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return "", errors.New("is UTF-16 text, as PowerShell's > writes it: save it as UTF-8")
	case bytes.IndexByte(data, 0) >= 0:
		return "", errors.New("has a NUL byte in it: save it as plain UTF-8 text")
	case !utf8.Valid(data):
		return "", fmt.Errorf("is not UTF-8 text (line %d): save it as UTF-8", 1+bytes.Count(validPart(data), []byte("\n")))
	}
	return strings.ReplaceAll(strings.TrimPrefix(string(data), "\ufeff"), "\r\n", "\n"), nil
}

// validPart is what stands before the first byte that is not UTF-8.
func validPart(data []byte) []byte {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return data[:i]
		}
		i += size
	}
	return data
}
