package command

import (
	"path"
)

// wildcard matches fnmatch(3) patterns, where * matches slashes as well.
func wildcard(pattern, name string) bool {
	for pattern != "" {
		switch pattern[0] {
		case '*':
			for i := 0; i <= len(name); i++ {
				if wildcard(pattern[1:], name[i:]) {
					return true
				}
			}
			return false
		case '[':
			end := 1
			for end < len(pattern) && (pattern[end] != ']' || end == 1) {
				end++
			}
			if name == "" || end == len(pattern) {
				return false
			}
			if ok, err := path.Match(pattern[:end+1], name[:1]); err != nil || !ok {
				return false
			}
			pattern, name = pattern[end+1:], name[1:]
			continue
		case '\\':
			if len(pattern) > 1 {
				pattern = pattern[1:]
			}
		}
		if name == "" || pattern[0] != '?' && pattern[0] != name[0] {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return name == ""
}
