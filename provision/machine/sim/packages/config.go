package packages

import (
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// aptConfig reads /etc/apt/apt.conf.d: keys in lower case.
func aptConfig(m *guest.Machine, options []string) map[string]string {
	values := map[string]string{}
	entries, _ := m.FS.ReadDir(vfs.Root(), "/etc/apt/apt.conf.d")
	for _, e := range entries {
		text, err := m.FS.ReadFile(vfs.Root(), "/etc/apt/apt.conf.d/"+e.Name())
		if err == nil {
			parseConfig(text, values)
		}
	}
	for _, o := range options {
		if key, value, ok := strings.Cut(o, "="); ok {
			values[strings.ToLower(key)] = value
		}
	}
	return values
}

// parseConfig reads the syntax of apt.conf(5): Scope::Name "value"; and Scope { Name "value"; };
func parseConfig(text string, values map[string]string) {
	var scopes []string
	token := ""
	var words []string
	flush := func() {
		if token != "" {
			words = append(words, token)
			token = ""
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '/' && i+1 < len(text) && text[i+1] == '/', c == '#':
			for i < len(text) && text[i] != '\n' {
				i++
			}
			flush()
		case c == '"':
			end := strings.IndexByte(text[i+1:], '"')
			if end < 0 {
				return
			}
			flush()
			words = append(words, text[i+1:i+1+end])
			i += end + 1
		case c == '{':
			flush()
			scopes = append(scopes, strings.Join(words, ""))
			words = nil
		case c == '}':
			if len(scopes) > 0 {
				scopes = scopes[:len(scopes)-1]
			}
			words = nil
		case c == ';':
			flush()
			if len(words) == 2 {
				values[strings.ToLower(strings.Join(append(append([]string{}, scopes...), words[0]), "::"))] = words[1]
			}
			words = nil
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			flush()
		default:
			token += string(c)
		}
	}
}
