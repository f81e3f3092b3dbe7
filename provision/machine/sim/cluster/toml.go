package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// settings are the values of a TOML file by table and key; the names of a table are joined by "/". Values are as they
// stand in the file, without the quotes of strings.
type settings map[string]map[string]string

func (s settings) set(table, key, value string) {
	if s[table] == nil {
		s[table] = map[string]string{}
	}
	s[table][key] = value
}

// parseTOML reads the part of TOML that containerd's configuration uses: tables, and keys with values on one line or
// arrays on several.
func parseTOML(text string) (settings, error) {
	s := settings{}
	table := ""
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		at := i + 1
		line := strings.TrimSpace(withoutComment(lines[i]))
		switch {
		case line == "":
		case strings.HasPrefix(line, "["):
			if !strings.HasSuffix(line, "]") {
				return nil, fmt.Errorf("toml: line %d: expected ] at the end of a table", at)
			}
			names, err := tomlNames(strings.Trim(line, "[]"))
			if err != nil {
				return nil, fmt.Errorf("toml: line %d: %w", at, err)
			}
			table = strings.Join(names, "/")
			if s[table] == nil {
				s[table] = map[string]string{}
			}
		default:
			key, value, ok := strings.Cut(line, "=")
			if !ok {
				return nil, fmt.Errorf("toml: line %d: expected = after a key, but got %q", at, line)
			}
			for value = strings.TrimSpace(value); strings.HasPrefix(value, "[") && !strings.HasSuffix(value, "]") && i+1 < len(lines); {
				i++
				value += " " + strings.TrimSpace(withoutComment(lines[i]))
			}
			names, err := tomlNames(strings.TrimSpace(key))
			if err == nil {
				value, err = tomlValue(value)
			}
			if err != nil {
				return nil, fmt.Errorf("toml: line %d: %w", at, err)
			}
			s.set(strings.Trim(table+"/"+strings.Join(names[:len(names)-1], "/"), "/"), names[len(names)-1], value)
		}
	}
	return s, nil
}

// withoutComment cuts off a comment that is not within quotes.
func withoutComment(line string) string {
	quote := rune(0)
	for i, c := range line {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '#':
			return line[:i]
		}
	}
	return line
}

// tomlNames splits plugins."io.containerd.grpc.v1.cri".cni into its names.
func tomlNames(s string) ([]string, error) {
	var names []string
	for s != "" {
		var name string
		if q := s[0]; q == '"' || q == '\'' {
			end := strings.IndexByte(s[1:], q)
			if end < 0 {
				return nil, fmt.Errorf("expected %c at the end of a name, but got %q", q, s)
			}
			name, s = s[1:end+1], s[end+2:]
			s = strings.TrimPrefix(strings.TrimSpace(s), ".")
		} else {
			name, s, _ = strings.Cut(s, ".")
		}
		names = append(names, strings.TrimSpace(name))
		s = strings.TrimSpace(s)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("a name is empty")
	}
	return names, nil
}

func tomlValue(v string) (string, error) {
	switch {
	case v == "":
		return "", fmt.Errorf("a value is missing")
	case v == "true" || v == "false" || strings.HasPrefix(v, "[") && strings.HasSuffix(v, "]") || strings.HasPrefix(v, "{") && strings.HasSuffix(v, "}"):
		return v, nil
	case len(v) > 1 && (v[0] == '"' || v[0] == '\'') && v[len(v)-1] == v[0]:
		return v[1 : len(v)-1], nil
	}
	if _, err := strconv.ParseFloat(v, 64); err != nil {
		return "", fmt.Errorf("value %q is neither string, number, truth value nor array", v)
	}
	return v, nil
}

// merged is s with the settings of over on top.
func (s settings) merged(over settings) settings {
	out := settings{}
	for _, from := range []settings{s, over} {
		for table, values := range from {
			for key, value := range values {
				out.set(table, key, value)
			}
		}
	}
	return out
}

// print writes the settings as containerd 2 writes them.
func (s settings) print() string {
	var b strings.Builder
	for _, table := range slices.Sorted(maps.Keys(s)) {
		indent := ""
		if table != "" {
			names := strings.Split(table, "/")
			indent = strings.Repeat("  ", len(names)-1)
			for i, n := range names {
				if strings.ContainsAny(n, ".:/") {
					names[i] = "'" + n + "'"
				}
			}
			fmt.Fprintf(&b, "\n%s[%s]\n", indent, strings.Join(names, "."))
			indent += "  "
		}
		for _, key := range slices.Sorted(maps.Keys(s[table])) {
			v := s[table][key]
			if _, err := strconv.ParseFloat(v, 64); err != nil && v != "true" && v != "false" && !strings.HasPrefix(v, "[") && !strings.HasPrefix(v, "{") {
				v = "'" + v + "'"
			}
			fmt.Fprintf(&b, "%s%s = %s\n", indent, key, v)
		}
	}
	return b.String()
}
