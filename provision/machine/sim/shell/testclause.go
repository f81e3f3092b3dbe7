package shell

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// testClause is [[ ... ]].
func (s *Shell) testClause(x syntax.TestExpr) int {
	ok, err := s.testExpr(x)
	switch {
	case err != nil:
		if _, bad := err.(testError); bad {
			s.errorf("[[: %v", err)
			return 2
		}
		s.expansionFailed(err)
		return s.status
	case ok:
		return 0
	}
	return 1
}

// testTerm is an operand of && and || in [[ ]], and the operator behind it.
type testTerm struct {
	x   syntax.TestExpr
	not bool
	op  syntax.BinTestOperator // 0 behind the last
}

// testTerms takes an expression apart. The parser takes all operators for right-associative and of the same rank, and
// ! for one that governs everything behind it: in bash ! is first, then &&, then ||.
func testTerms(x syntax.TestExpr) []testTerm {
	switch x := x.(type) {
	case *syntax.UnaryTest:
		if x.Op == syntax.TsNot {
			terms := testTerms(x.X)
			terms[0].not = !terms[0].not
			return terms
		}
	case *syntax.BinaryTest:
		if x.Op == syntax.AndTest || x.Op == syntax.OrTest {
			left := testTerms(x.X)
			left[len(left)-1].op = x.Op
			return append(left, testTerms(x.Y)...)
		}
	}
	return []testTerm{{x: x}}
}

func (s *Shell) testExpr(x syntax.TestExpr) (bool, error) {
	ok := true // of the operands since the last ||
	for _, t := range testTerms(x) {
		if ok {
			value, err := s.testOne(t.x)
			if err != nil {
				return false, err
			}
			ok = value != t.not
		}
		if t.op == syntax.OrTest {
			if ok {
				return true, nil
			}
			ok = true
		}
	}
	return ok, nil
}

func (s *Shell) testOne(x syntax.TestExpr) (bool, error) {
	switch x := x.(type) {
	case *syntax.Word:
		text, err := s.literal(x)
		return text != "", err
	case *syntax.ParenTest:
		return s.testExpr(x.X)
	case *syntax.UnaryTest:
		return s.unaryTest(x)
	case *syntax.BinaryTest:
		return s.binaryTest(x)
	}
	return false, testError(fmt.Sprintf("the simulator does not know the test %T", x))
}

func (s *Shell) unaryTest(x *syntax.UnaryTest) (bool, error) {
	w, ok := x.X.(*syntax.Word)
	if !ok {
		return false, testError("operand expected")
	}
	text, err := s.literal(w)
	if err != nil {
		return false, err
	}
	if x.Op == syntax.TsOptSet {
		p := s.opts.byName(text)
		return p != nil && *p, nil
	}
	return Unary(s.p, x.Op.String(), text, s.isSet), nil
}

func (s *Shell) binaryTest(x *syntax.BinaryTest) (bool, error) {
	lw, ok1 := x.X.(*syntax.Word)
	rw, ok2 := x.Y.(*syntax.Word)
	if !ok1 || !ok2 {
		return false, testError("operand expected")
	}
	left, err := s.literal(lw)
	if err != nil {
		return false, err
	}
	switch x.Op {
	case syntax.TsMatchShort, syntax.TsMatch:
		return s.wordMatches(rw, left), nil
	case syntax.TsNoMatch:
		return !s.wordMatches(rw, left), nil
	case syntax.TsReMatch:
		return s.regexpMatches(rw, left)
	}
	right, err := s.literal(rw)
	if err != nil {
		return false, err
	}
	switch op := x.Op.String(); op {
	case "<":
		return left < right, nil
	case ">":
		return left > right, nil
	case "-nt", "-ot", "-ef":
		return compareFiles(s.p, left, op, right), nil
	case "-eq", "-ne", "-lt", "-le", "-gt", "-ge":
		a, err := s.arithmText(left)
		if err != nil {
			return false, err
		}
		b, err := s.arithmText(right)
		return compareNumbers(a, op, b), err
	default:
		return false, testError("the simulator does not know the operator " + op)
	}
}

// arithmText evaluates a string as an arithmetic expression.
func (s *Shell) arithmText(text string) (int64, error) {
	if n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil {
		return n, nil
	}
	if strings.TrimSpace(text) == "" {
		return 0, nil
	}
	expr, err := syntax.NewParser().Arithmetic(strings.NewReader(text))
	if err != nil {
		return 0, testError(text + ": syntax error in expression")
	}
	n, err := s.arithm(expr)
	return int64(n), err
}

// regexpMatches is =~, with the groups in BASH_REMATCH. Quoted parts are taken literally.
func (s *Shell) regexpMatches(w *syntax.Word, text string) (bool, error) {
	var expr strings.Builder
	for _, part := range w.Parts {
		switch part := part.(type) {
		case *syntax.Lit:
			expr.WriteString(part.Value)
		case *syntax.SglQuoted, *syntax.DblQuoted:
			lit, err := s.literal(&syntax.Word{Parts: []syntax.WordPart{part}})
			if err != nil {
				return false, err
			}
			expr.WriteString(regexp.QuoteMeta(lit))
		default:
			lit, err := s.literal(&syntax.Word{Parts: []syntax.WordPart{part}})
			if err != nil {
				return false, err
			}
			expr.WriteString(lit)
		}
	}
	source := expr.String()
	re, err := regexp.Compile(source)
	if err != nil {
		return false, testError("invalid regular expression: " + expr.String())
	}
	m := re.FindStringSubmatch(text)
	if m == nil {
		return false, nil
	}
	return true, s.setVar("BASH_REMATCH", expand.Variable{Set: true, Kind: expand.Indexed, List: m})
}
