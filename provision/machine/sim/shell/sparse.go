package shell

import (
	"maps"
	"slices"

	"mvdan.cc/sh/v3/expand"
)

// sparse is an indexed array while it is changed.
type sparse map[int]string

func (a sparse) load(vr expand.Variable) {
	if vr.Kind == expand.String && vr.IsSet() {
		a[0] = vr.Str
		return
	}
	for i, v := range vr.List {
		if vr.Indexes != nil {
			i = vr.Indexes[i]
		}
		a[i] = v
	}
}

func (a sparse) put(i int, v string) { a[i] = v }

func (a sparse) next() int {
	n := 0
	for i := range a {
		n = max(n, i+1)
	}
	return n
}

func (a sparse) list() ([]string, []int) {
	keys := slices.Sorted(maps.Keys(a))
	list := make([]string, len(keys))
	dense := true
	for n, k := range keys {
		list[n] = a[k]
		dense = dense && n == k
	}
	if dense {
		return list, nil
	}
	return list, keys
}
