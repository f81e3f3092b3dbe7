package shell

import (
	"hash/maphash"
	"regexp"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

// Cache keeps parsed scripts by content, for all nodes together: a thousand nodes parse a step's script once.
type Cache struct {
	mu    sync.Mutex
	files map[cacheKey]*syntax.File
	seen  map[uint64]struct{} // hashes of texts met once: one that never comes again is not worth keeping
	seed  maphash.Seed
	bytes int

	expansions map[string]*syntax.ParamExp
	patterns   map[string]*regexp.Regexp
}

type cacheKey struct {
	text  string
	posix bool
}

const (
	cacheLimit = 8 << 20 // bytes of script text
	seenLimit  = 4096
)

// parse returns the parsed script. The tree is shared and must not be changed.
func (c *Cache) parse(text, name string, posix bool) (*syntax.File, error) {
	lang := syntax.LangBash
	if posix {
		lang = syntax.LangPOSIX
	}
	parse := func() (*syntax.File, error) {
		file, err := syntax.NewParser(syntax.Variant(lang)).Parse(strings.NewReader(text), name)
		if err == nil {
			markSpecial(file)
		}
		return file, err
	}
	if c == nil {
		return parse()
	}
	key := cacheKey{text, posix}
	c.mu.Lock()
	file := c.files[key]
	c.mu.Unlock()
	if file != nil {
		return file, nil
	}
	file, err := parse()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.files == nil {
		c.seed = maphash.MakeSeed()
		c.files, c.seen = map[cacheKey]*syntax.File{}, map[uint64]struct{}{}
	}
	hash := maphash.String(c.seed, text)
	if _, again := c.seen[hash]; !again {
		if len(c.seen) >= seenLimit {
			clear(c.seen)
		}
		c.seen[hash] = struct{}{}
		return file, nil
	}
	if c.bytes+len(text) > cacheLimit {
		clear(c.files)
		c.bytes = 0
	}
	delete(c.seen, hash)
	c.files[key] = file
	c.bytes += len(text)
	return file, nil
}

// regexp returns a compiled expression.
func (c *Cache) regexp(expr string) (*regexp.Regexp, error) {
	if c == nil {
		return regexp.Compile(expr)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if re := c.patterns[expr]; re != nil {
		return re, nil
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, err
	}
	if c.patterns == nil || len(c.patterns) > 2000 {
		c.patterns = map[string]*regexp.Regexp{}
	}
	c.patterns[expr] = re
	return re, nil
}
