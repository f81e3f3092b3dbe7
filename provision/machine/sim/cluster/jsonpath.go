package cluster

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// jsonPath fills in a template of kubectl's dialect (https://kubernetes.io/docs/reference/kubectl/jsonpath/): text, and
// in braces paths, quoted strings, range and end.
func jsonPath(template string, data any) (string, error) {
	var b strings.Builder
	_, err := expandPath(&b, template, data, data, false)
	return b.String(), err
}

// expandPath writes a template up to its end, or up to {end} within a range, and returns the rest.
func expandPath(b *strings.Builder, t string, root, here any, within bool) (rest string, err error) {
	for t != "" {
		open := strings.IndexByte(t, '{')
		if open < 0 {
			b.WriteString(t)
			break
		}
		b.WriteString(t[:open])
		end := closing(t[open:])
		if end < 0 {
			return "", fmt.Errorf("unclosed action")
		}
		action := strings.TrimSpace(t[open+1 : open+end])
		t = t[open+end+1:]
		switch {
		case action == "end":
			if !within {
				return "", fmt.Errorf("not in range, nothing to end")
			}
			return t, nil
		case strings.HasPrefix(action, "range "):
			list, err := evaluate(strings.TrimSpace(action[6:]), root, here)
			if err != nil {
				return "", err
			}
			body := t
			var skip strings.Builder
			if t, err = expandPath(&skip, body, root, nil, true); err != nil {
				return "", err
			}
			for _, v := range list {
				if _, err := expandPath(b, body, root, v, true); err != nil {
					return "", err
				}
			}
		case strings.HasPrefix(action, `"`) || strings.HasPrefix(action, `'`):
			s := action
			if s[0] == '\'' {
				s = `"` + strings.ReplaceAll(strings.Trim(s, "'"), `"`, `\"`) + `"`
			}
			if s, err = strconv.Unquote(s); err != nil {
				return "", fmt.Errorf("invalid string %s", action)
			}
			b.WriteString(s)
		default:
			list, err := evaluate(action, root, here)
			if err != nil {
				return "", err
			}
			for i, v := range list {
				if i > 0 {
					b.WriteByte(' ')
				}
				b.WriteString(plain(v))
			}
		}
	}
	if within {
		return "", fmt.Errorf("unclosed range")
	}
	return "", nil
}

// closing finds the brace that closes the one at the beginning.
func closing(t string) int {
	quote := byte(0)
	for i := 1; i < len(t); i++ {
		switch c := t[i]; {
		case quote != 0:
			if c == '\\' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '}':
			return i
		}
	}
	return -1
}

// plain is a value as kubectl prints it.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	raw, _ := json.Marshal(v)
	return string(raw)
}

// evaluate finds the values of a path such as .items[*].status.addresses[?(@.type=="InternalIP")].address. What is
// missing gives nothing.
func evaluate(path string, root, here any) ([]any, error) {
	values := []any{here}
	path = strings.TrimPrefix(path, "@")
	if strings.HasPrefix(path, "$") {
		values, path = []any{root}, path[1:]
	}
	for path != "" {
		switch {
		case strings.HasPrefix(path, ".."):
			return nil, fmt.Errorf("the simulator's model does not have recursive descent (..)")
		case path[0] == '[':
			end := strings.IndexByte(path, ']')
			if strings.HasPrefix(path, "[?(") {
				end = strings.Index(path, ")]") + 1
			}
			if end <= 0 {
				return nil, fmt.Errorf("unterminated array")
			}
			var err error
			if values, err = index(values, path[1:end], root); err != nil {
				return nil, err
			}
			path = path[end+1:]
		default:
			path = strings.TrimPrefix(path, ".")
			var name strings.Builder
			i := 0
			for ; i < len(path) && path[i] != '.' && path[i] != '['; i++ {
				if path[i] == '\\' && i+1 < len(path) {
					i++
				}
				name.WriteByte(path[i])
			}
			path = path[i:]
			if name.Len() > 0 {
				values = field(values, name.String())
			}
		}
	}
	return values, nil
}

func field(values []any, name string) []any {
	var out []any
	for _, v := range values {
		m, ok := v.(object)
		switch {
		case !ok:
		case name == "*":
			for _, k := range slices.Sorted(maps.Keys(m)) {
				out = append(out, m[k])
			}
		default:
			if e, ok := m[name]; ok {
				out = append(out, e)
			}
		}
	}
	return out
}

func index(values []any, what string, root any) ([]any, error) {
	if name := strings.Trim(what, `'"`); name != what {
		return field(values, name), nil
	}
	var out []any
	for _, v := range values {
		list, ok := v.([]any)
		if !ok {
			continue
		}
		switch {
		case what == "*":
			out = append(out, list...)
		case strings.HasPrefix(what, "?("):
			for _, e := range list {
				ok, err := condition(strings.TrimSuffix(strings.TrimPrefix(what, "?("), ")"), root, e)
				if err != nil {
					return nil, err
				}
				if ok {
					out = append(out, e)
				}
			}
		case strings.Contains(what, ":"):
			from, to, _ := strings.Cut(what, ":")
			lo, hi := 0, len(list)
			if from != "" {
				lo, _ = strconv.Atoi(from)
			}
			if to != "" {
				hi, _ = strconv.Atoi(to)
			}
			out = append(out, list[min(max(lo, 0), len(list)):min(max(hi, lo, 0), len(list))]...)
		default:
			n, err := strconv.Atoi(what)
			if err != nil {
				return nil, fmt.Errorf("invalid array index %s", what)
			}
			if n < 0 {
				n += len(list)
			}
			if n < 0 || n >= len(list) {
				return nil, fmt.Errorf("array index out of bounds: index %d, length %d", n, len(list))
			}
			out = append(out, list[n])
		}
	}
	return out, nil
}

// condition tests @.type=="Ready" and the like.
func condition(c string, root, here any) (bool, error) {
	for _, op := range []string{"==", "!="} {
		left, right, ok := strings.Cut(c, op)
		if !ok {
			continue
		}
		values, err := evaluate(strings.TrimSpace(left), root, here)
		if err != nil {
			return false, err
		}
		equal := len(values) > 0 && plain(values[0]) == strings.Trim(strings.TrimSpace(right), `"'`)
		return equal == (op == "=="), nil
	}
	if strings.ContainsAny(c, "<>&|") {
		return false, fmt.Errorf("the simulator's model does not have the filter %q", c)
	}
	values, err := evaluate(strings.TrimSpace(c), root, here)
	return len(values) > 0, err
}
