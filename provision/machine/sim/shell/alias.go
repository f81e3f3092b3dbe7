package shell

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

func (s *Shell) unalias(words []*syntax.Word) []*syntax.Word {
	if !s.opts.expandAliases || len(words) == 0 {
		return words
	}
	text, ok := s.aliases[words[0].Lit()]
	if !ok {
		return words
	}
	var with []*syntax.Word
	for w, err := range syntax.NewParser().WordsSeq(strings.NewReader(text)) {
		if err != nil {
			return words
		}
		with = append(with, w)
	}
	return append(with, words[1:]...)
}

func builtinAlias(s *Shell, args []string) int {
	code := 0
	for _, arg := range args[1:] {
		name, text, ok := strings.Cut(arg, "=")
		if !ok {
			if s.aliases[name] == "" {
				s.errorf("alias: %s: not found", name)
				code = 1
				continue
			}
			fmt.Fprintf(s.p.Stdout(), "alias %s=%s\n", name, singleQuote(s.aliases[name]))
			continue
		}
		aliases := map[string]string{name: text}
		for k, v := range s.aliases {
			if k != name {
				aliases[k] = v
			}
		}
		s.aliases = aliases
	}
	return code
}

func builtinUnalias(s *Shell, args []string) int {
	aliases := map[string]string{}
	for k, v := range s.aliases {
		if !slices.Contains(args[1:], k) && !slices.Contains(args[1:], "-a") {
			aliases[k] = v
		}
	}
	s.aliases = aliases
	return 0
}
