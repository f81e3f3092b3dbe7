package shell

import (
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

// Cache keeps parsed scripts by content, for all nodes together: a thousand nodes parse a step's script once.
type Cache struct {
	mu    sync.Mutex
	files map[cacheKey]*syntax.File
	seen  map[cacheKey]struct{} // texts met once: one that never comes again is not worth keeping
	bytes int

	expansions map[string]*syntax.ParamExp
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
		c.files, c.seen = map[cacheKey]*syntax.File{}, map[cacheKey]struct{}{}
	}
	if _, again := c.seen[key]; !again {
		if len(c.seen) >= seenLimit {
			clear(c.seen)
		}
		c.seen[key] = struct{}{}
		return file, nil
	}
	if c.bytes+len(text) > cacheLimit {
		clear(c.files)
		c.bytes = 0
	}
	delete(c.seen, key)
	c.files[key] = file
	c.bytes += len(text)
	return file, nil
}
