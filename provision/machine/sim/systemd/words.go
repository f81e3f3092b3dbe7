package systemd

import "strings"

// splitCommand splits a command line of a unit file: quotes, and $NAME as words of its own, ${NAME} within words.
func splitCommand(line string, env map[string]string) []string {
	var args []string
	var word strings.Builder
	inWord, quote := false, byte(0)
	plain := true // no quotes in the word so far
	flush := func() {
		if !inWord {
			return
		}
		w := word.String()
		if plain && len(w) > 1 && w[0] == '$' && w[1] != '{' && w[1] != '$' {
			args = append(args, splitQuoted(env[w[1:]])...)
		} else {
			args = append(args, expandBraces(w, env))
		}
		word.Reset()
		inWord, plain = false, true
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			} else if c == '\\' && i+1 < len(line) {
				i++
				word.WriteByte(line[i])
			} else {
				word.WriteByte(c)
			}
		case c == '"' || c == '\'':
			quote, inWord, plain = c, true, false
		case c == ' ' || c == '\t':
			flush()
		case c == '\\' && i+1 < len(line):
			i++
			word.WriteByte(line[i])
			inWord = true
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	flush()
	return args
}

// splitQuoted splits the value of a variable into words.
func splitQuoted(s string) []string { return splitCommand(strings.ReplaceAll(s, "$", "$$"), nil) }

func expandBraces(w string, env map[string]string) string {
	var b strings.Builder
	for i := 0; i < len(w); i++ {
		if w[i] != '$' || i+1 == len(w) {
			b.WriteByte(w[i])
			continue
		}
		if w[i+1] == '$' {
			b.WriteByte('$')
			i++
			continue
		}
		if end := strings.IndexByte(w[i:], '}'); w[i+1] == '{' && end > 0 {
			b.WriteString(env[w[i+2:i+end]])
			i += end
			continue
		}
		b.WriteByte('$')
	}
	return b.String()
}

// assignments reads Environment= values: VAR=value words, quoted or not.
func assignments(line string) map[string]string {
	env := map[string]string{}
	for _, w := range splitQuoted(line) {
		if k, v, ok := strings.Cut(w, "="); ok {
			env[k] = v
		}
	}
	return env
}

// environmentFile reads lines of KEY=value with optional quotes.
func environmentFile(text string) map[string]string {
	env := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		k, v, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		v = strings.TrimSpace(v)
		if len(v) > 1 && (v[0] == '"' || v[0] == '\'') && v[len(v)-1] == v[0] {
			v = v[1 : len(v)-1]
		}
		env[strings.TrimSpace(k)] = v
	}
	return env
}
