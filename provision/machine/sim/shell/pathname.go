package shell

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/pattern"
	"mvdan.cc/sh/v3/syntax"
)

// hasGlob reports whether a word has a wildcard outside of quotes, or {a,b} together with one.
func hasGlob(w *syntax.Word) bool {
	for _, part := range w.Parts {
		switch part := part.(type) {
		case *syntax.Lit:
			esc := false
			for _, c := range part.Value {
				switch {
				case esc:
					esc = false
				case c == '\\':
					esc = true
				case c == '*' || c == '?' || c == '[':
					return true
				}
			}
		case *syntax.ExtGlob:
			return true
		}
	}
	return false
}

// glob expands a word with wildcards. Not ok: nothing matches, and the word stays as it is.
func (s *Shell) glob(w *syntax.Word) (matches []string, ok bool, err error) {
	for word, err := range expand.BracesSeq(s.cfg, w) {
		if err != nil {
			return nil, false, err
		}
		pat, err := s.pattern(word)
		if err != nil {
			return nil, false, err
		}
		found := s.match(pat)
		if len(found) == 0 && !s.opts.nullglob {
			text, err := s.literal(word)
			if err != nil {
				return nil, false, err
			}
			found = []string{text}
		}
		matches = append(matches, found...)
	}
	return matches, true, nil
}

// match lists the files that fit a pattern, sorted.
func (s *Shell) match(pat string) []string {
	tilde := ""
	if rest, ok := strings.CutPrefix(pat, "~/"); ok {
		tilde, pat = s.get("HOME")+"/", rest
	}
	dirs := []string{tilde}
	if strings.HasPrefix(pat, "/") {
		dirs = []string{"/"}
		pat = strings.TrimLeft(pat, "/")
	}
	elems := strings.Split(pat, "/")
	for i, elem := range elems {
		last := i == len(elems)-1
		var next []string
		for _, dir := range dirs {
			next = append(next, s.matchElem(dir, elem, last)...)
		}
		dirs = next
	}
	slices.Sort(dirs)
	return dirs
}

func (s *Shell) matchElem(dir, elem string, last bool) []string {
	fs, cred := s.p.Files()
	join := func(name string) string {
		if last {
			return dir + name
		}
		return dir + name + "/"
	}
	if !pattern.HasMeta(elem, 0) {
		name := unescape(elem)
		if name == "" {
			return []string{dir}
		}
		info, err := fs.Lstat(cred, s.p.Path(dir+name))
		if err == nil && !last {
			info, err = fs.Stat(cred, s.p.Path(dir+name))
		}
		if err != nil || !last && !info.IsDir() {
			return nil
		}
		return []string{join(name)}
	}
	matches := s.matcher(elem)
	if matches == nil {
		return nil
	}
	entries, err := fs.ReadDir(cred, s.p.Path(dir+"."))
	if err != nil {
		return nil
	}
	var found []string
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") && !strings.HasPrefix(elem, ".") && !s.opts.dotglob || !matches(name) {
			continue
		}
		if !last {
			if info, err := fs.Stat(cred, s.p.Path(dir+name)); err != nil || !info.IsDir() {
				continue
			}
		}
		found = append(found, join(name))
	}
	return found
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	esc := false
	for _, c := range s {
		if c == '\\' && !esc {
			esc = true
			continue
		}
		esc = false
		b.WriteRune(c)
	}
	return b.String()
}

// matcher compiles a shell pattern; nil if it is malformed.
func (s *Shell) matcher(pat string) func(string) bool {
	if !pattern.HasMeta(pat, pattern.ExtendedOperators) {
		plain := unescape(pat)
		return func(name string) bool { return name == plain }
	}
	expr, err := pattern.Regexp(pat, pattern.EntireString|pattern.ExtendedOperators)
	if err != nil {
		s.unsimulated("the pattern " + pat)
		return nil
	}
	re, err := s.cache.regexp(expr)
	if err != nil {
		return nil
	}
	return re.MatchString
}
