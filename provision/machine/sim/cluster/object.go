package cluster

import (
	"fmt"
	"maps"
	"strings"
)

// at walks down an object by names; nil if something on the way is missing.
func at(o any, names ...string) any {
	for _, n := range names {
		m, ok := o.(object)
		if !ok {
			return nil
		}
		o = m[n]
	}
	return o
}

// text is at for a string; "" if there is none.
func text(o any, names ...string) string {
	switch v := at(o, names...).(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// number is at for a number.
func number(o any, names ...string) (int, bool) {
	switch v := at(o, names...).(type) {
	case int:
		return v, true
	case int64:
		return int(v), true
	case float64:
		return int(v), true
	}
	return 0, false
}

// child is the object below a name, made if it is not there.
func child(o object, name string) object {
	if c, ok := o[name].(object); ok {
		return c
	}
	c := object{}
	o[name] = c
	return c
}

// items is at for a list.
func items(o any, names ...string) []any {
	list, _ := at(o, names...).([]any)
	return list
}

// clone copies an object as deep as it goes.
func clone[T any](v T) T { return cloneAny(v).(T) }

func cloneAny(v any) any {
	switch v := v.(type) {
	case object:
		out := maps.Clone(v)
		for k, e := range out {
			out[k] = cloneAny(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = cloneAny(e)
		}
		return out
	}
	return v
}

// labelsOf are the labels of an object, or of whatever lies at names.
func labelsOf(o any, names ...string) map[string]string {
	if names == nil {
		names = []string{"metadata", "labels"}
	}
	out := map[string]string{}
	if m, ok := at(o, names...).(object); ok {
		for k, v := range m {
			out[k] = fmt.Sprint(v)
		}
	}
	return out
}

// fits reports whether all wanted labels are there with their values.
func fits(labels, wanted map[string]string) bool {
	for k, v := range wanted {
		if have, ok := labels[k]; !ok || have != v {
			return false
		}
	}
	return true
}

// selector reads "a=b,c!=d,e,!f" and returns what tests labels by it.
func selector(s string) (func(map[string]string) bool, error) {
	var tests []func(map[string]string) bool
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		k, v, equal := strings.Cut(strings.Replace(part, "==", "=", 1), "=")
		switch {
		case part == "":
		case strings.ContainsAny(part, " ()"):
			return nil, fmt.Errorf("the simulator's model does not have the selector %q: write a=b, a!=b, a or !a", part)
		case strings.HasSuffix(k, "!") && equal:
			k = strings.TrimSuffix(k, "!")
			tests = append(tests, func(l map[string]string) bool { return l[k] != v })
		case equal:
			tests = append(tests, func(l map[string]string) bool { have, ok := l[k]; return ok && have == v })
		case strings.HasPrefix(part, "!"):
			tests = append(tests, func(l map[string]string) bool { _, ok := l[part[1:]]; return !ok })
		default:
			tests = append(tests, func(l map[string]string) bool { _, ok := l[part]; return ok })
		}
	}
	return func(l map[string]string) bool {
		for _, t := range tests {
			if !t(l) {
				return false
			}
		}
		return true
	}, nil
}
