package lab

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile is the largest description read, in bytes. A lab of a thousand nodes, written out one by one, has a tenth of it.
const maxFile = 1 << 20

// Parse reads the text of a lab.yaml, named file in messages, and nothing else: defaults are not filled in and values
// are not compared with each other. Text is UTF-8 (or UTF-16 with a byte order mark).
//
// The error is a Problems. Unless the text is not YAML at all, the Lab then holds what could be read, so that Validate
// can find the other problems in one go.
func Parse(file string, text []byte) (Lab, Positions, error) { return parse(file, text, "", nil) }

// parse is Parse with an override laid over the text, unless its name is empty.
func parse(file string, text []byte, overFile string, over []byte) (Lab, Positions, error) {
	d := newDecoder(file)
	root, problem := document(file, text, "name", "nodes")
	if problem == nil && overFile != "" {
		var changes *yaml.Node
		if changes, problem = document(overFile, over, "name", "nodes"); problem == nil {
			d.over, d.overFile = overlay{from: map[*yaml.Node]bool{}}, overFile
			root = d.over.lay(root, changes, 0)
		}
	}
	if problem != nil {
		d.at.flawed[""] = true
		return Lab{}, d.at, Problems{*problem}
	}
	var l Lab
	d.decode("", root, reflect.ValueOf(&l).Elem(), 0)
	return l, d.at, d.problems.Err()
}

// document parses text into the one node it holds. fields are those that no such file can leave out.
func document(file string, text []byte, fields ...string) (*yaml.Node, *Problem) {
	empty := "the file is empty: write at least " + strings.Join(fields, " and ")
	fail := func(line, col int, message string) (*yaml.Node, *Problem) {
		return nil, &Problem{File: file, Line: line, Col: col, Message: message}
	}
	if len(text) > maxFile {
		return fail(1, 1, fmt.Sprintf("the file has %d bytes, more than a description can need: is it the right file?", len(text)))
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	utf16 := bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff"))
	if line, col, ok := invalidUTF8(text); !ok && !utf16 {
		return fail(line, col, "is not UTF-8: save the file as UTF-8 in your editor")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var doc, next yaml.Node
	err := decoder.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return fail(1, 1, empty)
	}
	if err == nil {
		err = decoder.Decode(&next)
		if err == nil {
			return fail(next.Line, next.Column, "a second document starts here: write one description a file, without the line ---")
		}
	}
	if !errors.Is(err, io.EOF) {
		line, col, message := syntaxError(text, err)
		return fail(line, col, message)
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return fail(1, 1, empty)
	}
	if root.Kind != yaml.MappingNode {
		return fail(root.Line, root.Column, fmt.Sprintf("the file holds %s, not fields: start with %s:", kindOf(root), strings.Join(fields, ": and ")))
	}
	return root, nil
}

// invalidUTF8 finds the first byte that is not UTF-8; lines and columns count from 1.
func invalidUTF8(text []byte) (line, col int, ok bool) {
	line, col = 1, 1
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 {
			return line, col, false
		}
		if col++; r == '\n' {
			line, col = line+1, 1
		}
		text = text[n:]
	}
	return 0, 0, true
}

// yamlError is how the YAML parser writes its errors.
var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// syntaxError turns an error of the YAML parser into a place and a message a teacher can use.
func syntaxError(text []byte, err error) (line, col int, message string) {
	lines := strings.Split(string(text), "\n")
	line, col, message = 1, 1, err.Error()
	if m := yamlError.FindStringSubmatch(message); m != nil {
		message = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	advice := "look at this line and the one before it"
	for _, known := range syntaxAdvice() {
		if !strings.HasPrefix(message, known.message) {
			continue
		}
		advice = known.advice
		if known.early {
			line++
		}
	}
	if _, rest, ok := strings.Cut(message, "unknown anchor '"); ok {
		name, _, _ := strings.Cut(rest, "'")
		line, col = find(lines, "*"+name)
	}
	// Where a tab stands the parser says one thing or another.
	for _, n := range []int{line, line - 1} {
		if n < 1 || n > len(lines) {
			continue
		}
		blank := lines[n-1][:len(lines[n-1])-len(strings.TrimLeft(lines[n-1], " \t"))]
		if tab := strings.IndexByte(blank, '\t'); tab >= 0 {
			return n, tab + 1, "a tab indents this line, which YAML forbids: write spaces"
		}
	}
	return min(line, len(lines)), col, "is not YAML: " + message + ": " + advice
}

// find returns where word stands first, or the start of the text.
func find(lines []string, word string) (line, col int) {
	for i, text := range lines {
		if before, _, ok := strings.Cut(text, word); ok {
			return i + 1, utf8.RuneCountInString(before) + 1
		}
	}
	return 1, 1
}

// advised is a message of the YAML parser, and what to do about it.
type advised struct {
	message, advice string
	early           bool // the parser counts the line from 0
}

func syntaxAdvice() []advised {
	return []advised{
		{"mapping values are not allowed", "look for a second colon on the line or a wrong indent, and quote text that has a colon in it", false},
		{"did not find expected key", "give the fields of one block the same indent", true},
		{"did not find expected '-' indicator", "give the entries of one list the same indent", true},
		{"did not find expected ',' or ']'", "close the list with ] and put commas between its entries", true},
		{"did not find expected ',' or '}'", "close the fields with } and put commas between them", true},
		{"did not find expected node content", "write a value here", true},
		{"did not find expected <document start>", "write one description a file, and its fields without an indent", true},
		{"found character that cannot start", "quote the value", false},
		{"unknown anchor", "define it with & before its use, or quote the value if no alias is meant", false},
		{"could not find expected ':'", "write the field as name: value", false},
		{"found unexpected end of stream", "close the quotes", false},
	}
}
