// Package wording is what podium says to those who learn with a lab, in every language that it speaks. Each language is
// one file: a sentence for each ID, in which {1} to {9} stand for values.
package wording

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

//go:embed wording.go
var source string

// Source is this file, whose comments describe the fields of Text for a schema.
func Source() string { return source }

// The languages that there are, as codes of locales. The first is spoken where no other was asked for.
const (
	English = "en"
	Korean  = "ko"
)

// Languages lists the codes.
func Languages() []string { return []string{English, Korean} }

// sentences are those of a language.
func sentences(code string) map[string]string {
	if code == Korean {
		return korean()
	}
	return english()
}

// Text is what an author wrote in both languages.
type Text struct {
	EN string `yaml:"en" jsonschema:"required"` // in English
	KO string `yaml:"ko" jsonschema:"required"` // in Korean
}

// In is the text in a language.
func (t Text) In(code string) string {
	if code == Korean && t.KO != "" || t.EN == "" {
		return t.KO
	}
	return t.EN
}

// Sentence is something to say, before it is put into words. The zero value says nothing.
type Sentence struct {
	id     string
	values []any // a Sentence among them is put into words too
	text   Text  // of an author, where there is no id
}

// Say makes a sentence.
func Say(id string, values ...any) Sentence { return Sentence{id: id, values: values} }

// Quote makes a sentence of what an author wrote.
func Quote(t Text) Sentence { return Sentence{text: t} }

// ID names the sentence; empty for one that an author wrote.
func (s Sentence) ID() string { return s.id }

// In puts the sentence into words.
func (s Sentence) In(code string) string {
	if s.id == "" {
		return s.text.In(code)
	}
	text, ok := sentences(code)[s.id]
	if !ok {
		text = s.id
	}
	pairs := make([]string, 0, 2*len(s.values))
	for i, v := range s.values {
		value := ""
		if of, ok := v.(Sentence); ok {
			value = of.In(code)
		} else {
			value = shorten(fmt.Sprint(v))
		}
		pairs = append(pairs, fmt.Sprintf("{%d}", i+1), value)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// longest is how much of a value a sentence shows, in characters.
const longest = 120

// shorten makes a value fit into a line.
func shorten(value string) string {
	value = strings.Join(strings.Fields(value), " ")
	if utf8.RuneCountInString(value) > longest {
		return string([]rune(value)[:longest]) + " ..."
	}
	return value
}

// IDs lists what can be said, sorted.
func IDs() []string { return slices.Sorted(maps.Keys(english())) }
