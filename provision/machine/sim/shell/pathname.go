package shell

import (
	"errors"
	"fmt"
	"regexp"
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
			if s.opts.failglob {
				return nil, false, fmt.Errorf("no match: %s", pat)
			}
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
	if elem == "**" && s.opts.globstar {
		return s.matchTree(dir, last)
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
	matches := s.matcher(elem, pattern.Filenames)
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

func (s *Shell) matchTree(dir string, last bool) []string {
	fs, cred := s.p.Files()
	found := []string{dir}
	entries, _ := fs.ReadDir(cred, s.p.Path(dir+"."))
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && !s.opts.dotglob {
			continue
		}
		switch {
		case e.IsDir():
			found = append(found, s.matchTree(dir+e.Name()+"/", last)...)
		case last:
			found = append(found, dir+e.Name())
		}
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
func (s *Shell) matcher(pat string, mode pattern.Mode) func(string) bool {
	if !pattern.HasMeta(pat, pattern.ExtendedOperators) && !s.opts.nocasematch {
		plain := unescape(pat)
		return func(name string) bool { return name == plain }
	}
	if !s.opts.nocasematch && !strings.Contains(pat, "(") {
		return func(name string) bool { return globMatch(pat, name) }
	}
	mode |= pattern.EntireString | pattern.ExtendedOperators
	if s.opts.nocasematch {
		mode |= pattern.NoGlobCase
	}
	expr, err := pattern.Regexp(pat, mode&^pattern.Filenames)
	if err != nil {
		if neg, ok := errors.AsType[*pattern.NegExtGlobError](err); ok && len(neg.Groups) == 1 {
			return s.negated(pat, neg.Groups[0])
		}
		return nil
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil
	}
	return re.MatchString
}

// negated matches !(a|b) between a fixed beginning and end.
func (s *Shell) negated(pat string, g pattern.NegExtGlobGroup) func(string) bool {
	before, after := pat[:g.Start], pat[g.End:]
	inner := s.matcher("@("+pat[g.Start+2:g.End-1]+")", 0)
	if inner == nil {
		return nil
	}
	return func(name string) bool {
		rest, ok := strings.CutPrefix(name, before)
		if !ok {
			return false
		}
		rest, ok = strings.CutSuffix(rest, after)
		return ok && !inner(rest)
	}
}
