package shell

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// globMatch matches a shell pattern without extended operators: *, ?, [...] and backslashes. A * also matches slashes,
// as it does outside of file names.
func globMatch(pat, s string) bool {
	starPat, starS := -1, 0 // where to go on when what follows the last * does not match
	p, i := 0, 0
	for i < len(s) {
		if p < len(pat) {
			if pat[p] == '*' {
				p++
				starPat, starS = p, i
				if p == len(pat) {
					return true
				}
				if lit := literalRun(pat[p:]); lit != "" { // go straight to the next place that can match
					at := strings.Index(s[i:], lit)
					if at < 0 {
						return false
					}
					i += at
					starS = i
				}
				continue
			}
			if width, size, ok := matchOne(pat[p:], s[i:]); ok {
				p += width
				i += size
				continue
			}
		}
		if starPat < 0 {
			return false
		}
		_, size := utf8.DecodeRuneInString(s[starS:])
		starS += size
		p, i = starPat, starS
		if lit := literalRun(pat[p:]); lit != "" {
			at := strings.Index(s[i:], lit)
			if at < 0 {
				return false
			}
			i += at
			starS = i
		}
	}
	for p < len(pat) && pat[p] == '*' {
		p++
	}
	return p == len(pat)
}

// literalRun is the ordinary text at the beginning of a pattern.
func literalRun(pat string) string {
	if n := strings.IndexAny(pat, `*?[\\`); n >= 0 {
		return pat[:n]
	}
	return pat
}

// matchOne matches one character: width is what the pattern takes, size what the text takes.
func matchOne(pat, s string) (width, size int, ok bool) {
	r, size := utf8.DecodeRuneInString(s)
	switch pat[0] {
	case '?':
		return 1, size, true
	case '[':
		if width, ok, valid := matchSet(pat, r); valid {
			return width, size, ok
		}
	case '\\':
		if len(pat) > 1 {
			c, w := utf8.DecodeRuneInString(pat[1:])
			return 1 + w, size, c == r
		}
	}
	c, w := utf8.DecodeRuneInString(pat)
	return w, size, c == r
}

// matchSet matches a bracket expression; it is not valid without its end, and then an ordinary character.
func matchSet(pat string, r rune) (width int, ok, valid bool) {
	i := 1
	negate := i < len(pat) && (pat[i] == '!' || pat[i] == '^')
	if negate {
		i++
	}
	for first := true; i < len(pat); first = false {
		if pat[i] == ']' && !first {
			return i + 1, ok != negate, true
		}
		if strings.HasPrefix(pat[i:], "[:") {
			if end := strings.Index(pat[i:], ":]"); end > 0 {
				ok = ok || inClass(pat[i+2:i+end], r)
				i += end + 2
				continue
			}
		}
		if pat[i] == '\\' && i+1 < len(pat) {
			i++
		}
		lo, w := utf8.DecodeRuneInString(pat[i:])
		i += w
		hi := lo
		if i+1 < len(pat) && pat[i] == '-' && pat[i+1] != ']' {
			i++
			if pat[i] == '\\' && i+1 < len(pat) {
				i++
			}
			hi, w = utf8.DecodeRuneInString(pat[i:])
			i += w
		}
		ok = ok || lo <= r && r <= hi
	}
	return 0, false, false
}

func inClass(name string, r rune) bool {
	switch name {
	case "alpha":
		return unicode.IsLetter(r)
	case "digit":
		return r >= '0' && r <= '9'
	case "alnum":
		return unicode.IsLetter(r) || unicode.IsDigit(r)
	case "upper":
		return unicode.IsUpper(r)
	case "lower":
		return unicode.IsLower(r)
	case "space":
		return unicode.IsSpace(r)
	case "blank":
		return r == ' ' || r == '\t'
	case "punct":
		return unicode.IsPunct(r) || unicode.IsSymbol(r)
	case "cntrl":
		return unicode.IsControl(r)
	case "print":
		return unicode.IsPrint(r)
	case "graph":
		return unicode.IsGraphic(r) && r != ' '
	case "xdigit":
		return strings.ContainsRune("0123456789abcdefABCDEF", r)
	}
	return false
}
