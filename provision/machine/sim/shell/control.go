package shell

import (
	"mvdan.cc/sh/v3/syntax"
)

func (s *Shell) condition(list []*syntax.Stmt) bool {
	s.tested++
	s.stmts(list)
	s.tested--
	return s.status == 0
}

func (s *Shell) ifClause(c *syntax.IfClause) {
	for c != nil {
		if len(c.Cond) == 0 { // else
			s.stmts(c.Then)
			return
		}
		ok := s.condition(c.Cond)
		if s.stopped() {
			return
		}
		if ok {
			s.stmts(c.Then)
			return
		}
		s.status = 0
		c = c.Else
	}
}

// body runs a loop's body once and reports whether the loop goes on.
func (s *Shell) body(list []*syntax.Stmt) bool {
	s.stmts(list)
	if s.leave == leaveLoop || s.leave == leaveRound {
		if s.leaveDepth--; s.leaveDepth > 0 {
			return false
		}
		goOn := s.leave == leaveRound
		s.leave = stay
		return goOn && !s.stopped()
	}
	return !s.stopped()
}

func (s *Shell) whileClause(c *syntax.WhileClause) {
	s.loops++
	defer func() { s.loops-- }()
	code := 0
	for {
		ok := s.condition(c.Cond)
		if s.stopped() {
			if s.leave == leaveLoop || s.leave == leaveRound {
				s.body(nil)
			}
			return
		}
		if ok == c.Until {
			s.status = code
			return
		}
		if !s.body(c.Do) {
			return
		}
		code = s.status
	}
}

func (s *Shell) forClause(c *syntax.ForClause) {
	s.loops++
	defer func() { s.loops-- }()
	switch loop := c.Loop.(type) {
	case *syntax.WordIter:
		items := s.params
		if loop.InPos.IsValid() {
			var err error
			if items, err = s.fields(loop.Items...); err != nil {
				s.expansionFailed(err)
				return
			}
		}
		if c.Select {
			s.errorf("select: not supported by the simulator")
			s.status = 2
			return
		}
		s.status = 0
		for _, item := range items {
			if err := s.setString(loop.Name.Value, item); err != nil {
				s.expansionFailed(err)
				return
			}
			if !s.body(c.Do) {
				return
			}
		}
	case *syntax.CStyleLoop:
		s.cLoop(loop, c.Do)
	}
}

func (s *Shell) cLoop(loop *syntax.CStyleLoop, do []*syntax.Stmt) {
	eval := func(x syntax.ArithmExpr) (int, bool) {
		if x == nil {
			return 1, true
		}
		n, err := s.arithm(x)
		if err != nil {
			s.expansionFailed(err)
			return 0, false
		}
		return n, true
	}
	if _, ok := eval(loop.Init); !ok {
		return
	}
	s.status = 0
	for {
		if n, ok := eval(loop.Cond); !ok || n == 0 {
			return
		}
		if !s.body(do) {
			return
		}
		if _, ok := eval(loop.Post); !ok {
			return
		}
	}
}

func (s *Shell) caseClause(c *syntax.CaseClause) {
	text, err := s.literal(c.Word)
	if err != nil {
		s.expansionFailed(err)
		return
	}
	s.status = 0
	fall := false
	for _, item := range c.Items {
		if !fall && !s.anyMatches(item.Patterns, text) {
			continue
		}
		s.stmts(item.Stmts)
		switch item.Op {
		case syntax.Fallthrough:
			fall = true
		case syntax.Resume:
			fall = false
		default:
			return
		}
		if s.stopped() {
			return
		}
	}
}

func (s *Shell) anyMatches(patterns []*syntax.Word, text string) bool {
	for _, w := range patterns {
		if s.wordMatches(w, text) {
			return true
		}
	}
	return false
}

func (s *Shell) wordMatches(w *syntax.Word, text string) bool {
	pat, err := s.pattern(w)
	if err != nil {
		s.expansionFailed(err)
		return false
	}
	m := s.matcher(pat)
	return m != nil && m(text)
}
