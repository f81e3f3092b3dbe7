package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/pattern"
	"mvdan.cc/sh/v3/syntax"

	"podium/provision/machine/sim/guest"
)

// fields expands words into arguments: everything bash does, pathname expansion included.
func (s *Shell) fields(words ...*syntax.Word) (fields []string, err error) {
	for _, w := range words {
		if lit := w.Lit(); lit != "" && !strings.ContainsAny(lit, "\\~*?[{") {
			fields = append(fields, lit)
			continue
		}
		if !s.opts.noglob && hasGlob(w) {
			matches, ok, err := s.glob(w)
			if err != nil {
				return nil, err
			}
			if ok {
				fields = append(fields, matches...)
				continue
			}
		}
		var got []string
		err := s.guard(func() (err error) {
			got, err = expand.Fields(s.cfg, w)
			return err
		})
		if err != nil {
			return nil, err
		}
		fields = append(fields, got...)
	}
	return fields, nil
}

// literal expands a word that stays one: a value, a redirection.
func (s *Shell) literal(w *syntax.Word) (text string, err error) {
	if w == nil {
		return "", nil
	}
	err = s.guard(func() (err error) {
		text, err = expand.Literal(s.cfg, w)
		return err
	})
	return text, err
}

func (s *Shell) document(w *syntax.Word) (text string, err error) {
	err = s.guard(func() (err error) {
		text, err = expand.Document(s.cfg, w)
		return err
	})
	return text, err
}

func (s *Shell) pattern(w *syntax.Word) (text string, err error) {
	err = s.guard(func() (err error) {
		text, err = expand.Pattern(s.cfg, w)
		return err
	})
	return text, err
}

func (s *Shell) arithm(e syntax.ArithmExpr) (n int, err error) {
	err = s.guard(func() (err error) {
		n, err = expand.Arithm(s.cfg, e)
		return err
	})
	return n, err
}

// guard keeps the expansion configuration of the command at hand apart from that of a command substitution in it,
// and turns a panic of the library into an error.
func (s *Shell) guard(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot expand this in the simulator: %v", r)
		}
		if s.expandErr != nil {
			err, s.expandErr = s.expandErr, nil
		}
	}()
	return do()
}

// expansionFailed reports an error of an expansion; a script ends with an unset variable.
func (s *Shell) expansionFailed(err error) {
	s.status = 1
	if unset, ok := errors.AsType[expand.UnsetParameterError](err); ok {
		s.errorf("%s: %s", unset.Node.Param.Value, unset.Message)
		if s.command {
			s.status = 127
		}
		s.leave = leaveShell
		return
	}
	s.errorf("%v", err)
	if errors.Is(err, errReadOnly) && !s.command || strings.Contains(err.Error(), "invalid indirect expansion") {
		s.leave = leaveShell
	}
}

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

// substitute is $(...).
func (s *Shell) substitute(w io.Writer, cs *syntax.CmdSubst) error {
	if file := readsFile(cs); file != nil {
		return s.substituteFile(w, file)
	}
	if len(cs.Stmts) == 0 {
		s.substCode = 0
		return nil
	}
	sub := s.fork()
	if !s.opts.inheritErrexit && !s.posix {
		sub.opts.errexit = false
	}
	sub.inPlace = onlyCall(cs.Stmts)
	r, pw := guest.Pipe()
	defer r.Close()
	child, err := s.p.Fork(func(c *guest.Process) { c.SetFile(1, pw) }, func(ctx context.Context, c *guest.Process) int {
		return sub.in(ctx, c, func() { sub.stmts(cs.Stmts) })
	})
	if err != nil {
		pw.Close()
		return err
	}
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(s.ctx, buf)
		w.Write(buf[:n])
		if err != nil {
			break
		}
	}
	s.substCode = s.wait(child)
	s.status = s.substCode
	return nil
}

// readsFile is the file of $(<file), nil for anything else.
func readsFile(cs *syntax.CmdSubst) *syntax.Word {
	if len(cs.Stmts) != 1 {
		return nil
	}
	st := cs.Stmts[0]
	if st.Cmd != nil || st.Background || st.Negated || len(st.Redirs) != 1 || st.Redirs[0].Op != syntax.RdrIn {
		return nil
	}
	return st.Redirs[0].Word
}

func (s *Shell) substituteFile(w io.Writer, file *syntax.Word) error {
	reader := s.fork() // an expansion is under way: its state must not be used twice
	reader.p, reader.ctx = s.p, s.ctx
	name, err := reader.literal(file)
	if err != nil {
		return err
	}
	f, err := s.p.Open(name, os.O_RDONLY, 0)
	if err != nil {
		s.errorf("%s: %s", name, guest.Reason(err))
		s.substCode, s.status = 1, 1
		return nil
	}
	defer f.Close()
	s.substCode = 0
	_, err = io.Copy(w, f)
	return err
}

// processSubstitution is <(...) and >(...): a pipe that the command opens by /dev/fd/N.
func (s *Shell) processSubstitution(ps *syntax.ProcSubst) (string, error) {
	r, w := guest.Pipe()
	mine, theirs, theirFD := r, w, 1
	if ps.Op == syntax.CmdOut {
		mine, theirs, theirFD = w, r, 0
	} else if ps.Op != syntax.CmdIn {
		return "", fmt.Errorf("unsupported process substitution")
	}
	sub := s.fork()
	child, err := s.p.Fork(func(c *guest.Process) { c.SetFile(theirFD, theirs) }, func(ctx context.Context, c *guest.Process) int {
		return sub.in(ctx, c, func() { sub.stmts(ps.Stmts) })
	})
	if err != nil {
		return "", err
	}
	fd := s.p.FreeFD(63)
	s.p.SetFile(fd, mine)
	s.substFDs = append(s.substFDs, fd)
	s.lastJob = child.PID
	s.jobs = append(s.jobs, &job{pid: child.PID, procs: []*guest.Process{child}, quiet: true})
	return path.Join("/dev/fd", fmt.Sprint(fd)), nil
}

// closeSubstitutions closes the pipes of process substitutions once the command that had them is done.
func (s *Shell) closeSubstitutions(keep int) {
	for _, fd := range s.substFDs[keep:] {
		s.p.CloseFD(fd)
	}
	s.substFDs = s.substFDs[:keep]
}
