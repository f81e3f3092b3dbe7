package kube

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// jsonPath evaluates the templates of kubectl's -o jsonpath that scripts use: {.a.b[0].c}, {.items[*].x}, {range ...}
// {end}, {"\n"}, filters such as [?(@.type=="Ready")], and text outside of braces.
func jsonPath(template string, root any) (string, error) {
	var b strings.Builder
	rest, err := evaluate(template, root, root, &b)
	if err == nil && rest != "" {
		err = errors.New("unexpected {end}")
	}
	return b.String(), err
}

// evaluate works through the template until its end or {end}, and returns what follows.
func evaluate(template string, root, here any, b *strings.Builder) (string, error) {
	for template != "" {
		i := strings.IndexByte(template, '{')
		if i < 0 {
			b.WriteString(template)
			return "", nil
		}
		b.WriteString(template[:i])
		end := closing(template[i:])
		if end < 0 {
			return "", errors.New("unclosed action")
		}
		action := strings.TrimSpace(template[i+1 : i+end])
		template = template[i+end+1:]
		switch {
		case action == "end":
			return "{end}" + template, nil
		case strings.HasPrefix(action, "range "):
			values, err := follow(strings.TrimSpace(action[6:]), root, here)
			if err != nil {
				return "", err
			}
			rest := template
			for _, v := range values {
				if rest, err = evaluate(template, root, v, b); err != nil {
					return "", err
				}
			}
			if len(values) == 0 {
				var sink strings.Builder
				if rest, err = evaluate(template, root, map[string]any{}, &sink); err != nil {
					return "", err
				}
			}
			var ok bool
			if template, ok = strings.CutPrefix(rest, "{end}"); !ok {
				return "", errors.New("unterminated range")
			}
		case strings.HasPrefix(action, `"`) || strings.HasPrefix(action, "'"):
			text, err := strconv.Unquote(`"` + strings.Trim(action, `"'`) + `"`)
			if err != nil {
				return "", err
			}
			b.WriteString(text)
		default:
			values, err := follow(action, root, here)
			if err != nil {
				return "", err
			}
			parts := make([]string, len(values))
			for n, v := range values {
				parts[n] = word(v)
			}
			b.WriteString(strings.Join(parts, " "))
		}
	}
	return "", nil
}

// closing is the position of the brace that ends the action at the beginning of s.
func closing(s string) int {
	quote := byte(0)
	for i := 1; i < len(s); i++ {
		switch {
		case quote != 0:
			if s[i] == quote {
				quote = 0
			}
		case s[i] == '"' || s[i] == '\'':
			quote = s[i]
		case s[i] == '}':
			return i
		}
	}
	return -1
}

func word(v any) string {
	switch t := v.(type) {
	case nil:
		return ""
	case string:
		return t
	case float64:
		return strconv.FormatFloat(t, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(t)
	}
	return fmt.Sprint(v)
}

// follow evaluates a path.
func follow(path string, root, here any) ([]any, error) {
	values := []any{here}
	if rest, ok := strings.CutPrefix(path, "$"); ok {
		values, path = []any{root}, rest
	}
	path = strings.TrimPrefix(path, "@")
	for path != "" {
		switch {
		case path[0] == '.':
			path = path[1:]
			if path == "" || path[0] == '[' {
				continue
			}
			var key strings.Builder
			n := 0
			for n < len(path) && path[n] != '.' && path[n] != '[' {
				if path[n] == '\\' && n+1 < len(path) {
					n++
				}
				key.WriteByte(path[n])
				n++
			}
			path = path[n:]
			values = each(values, func(v any) []any {
				if key.String() == "*" {
					return children(v)
				}
				m, _ := v.(map[string]any)
				if c, ok := m[key.String()]; ok {
					return []any{c}
				}
				return nil
			})
		case path[0] == '[':
			end := strings.IndexByte(path, ']')
			if end < 0 {
				return nil, errors.New("unterminated array")
			}
			sel := path[1:end]
			path = path[end+1:]
			var err error
			if values, err = index(values, sel); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("unrecognized character in action: %q", path[0])
		}
	}
	return values, nil
}

func each(values []any, do func(any) []any) []any {
	var out []any
	for _, v := range values {
		out = append(out, do(v)...)
	}
	return out
}

func children(v any) []any {
	switch t := v.(type) {
	case []any:
		return t
	case map[string]any:
		var out []any
		for _, k := range slices.Sorted(keysOf(t)) {
			out = append(out, t[k])
		}
		return out
	}
	return nil
}

func keysOf(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// index applies [*], [2], ['key'] and [?(@.path=="value")].
func index(values []any, sel string) ([]any, error) {
	switch {
	case sel == "*":
		return each(values, children), nil
	case strings.HasPrefix(sel, "?("):
		cond := strings.TrimSuffix(strings.TrimPrefix(sel, "?("), ")")
		left, right, ok := strings.Cut(cond, "==")
		if !ok {
			return nil, fmt.Errorf("the simulator's model knows only == in a filter: %s", sel)
		}
		want := strings.Trim(strings.TrimSpace(right), `"'`)
		var err error
		out := each(values, func(v any) []any {
			var hit []any
			for _, c := range children(v) {
				got, e := follow(strings.TrimSpace(left), c, c)
				if e != nil {
					err = e
				}
				if len(got) > 0 && word(got[0]) == want {
					hit = append(hit, c)
				}
			}
			return hit
		})
		return out, err
	case strings.HasPrefix(sel, "'") || strings.HasPrefix(sel, `"`):
		key := strings.Trim(sel, `'"`)
		return each(values, func(v any) []any {
			m, _ := v.(map[string]any)
			if c, ok := m[key]; ok {
				return []any{c}
			}
			return nil
		}), nil
	}
	n, err := strconv.Atoi(sel)
	if err != nil {
		return nil, fmt.Errorf("invalid array index %s", sel)
	}
	return each(values, func(v any) []any {
		l, _ := v.([]any)
		i := n
		if i < 0 {
			i += len(l)
		}
		if i < 0 || i >= len(l) {
			return nil
		}
		return []any{l[i]}
	}), nil
}
