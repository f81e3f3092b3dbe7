package audit

import (
	"maps"
	"slices"
	"strings"

	"podium/provision/catalogue"
	"podium/provision/version"
)

// question is one address to ask for.
type question struct {
	subject  string
	url      string
	key      *catalogue.Key // what is expected there; nil: anything
	mirrored bool           // a mirror answers in the source's place
	file     *File          // a file that machines download; nil: something else
}

// File is one that machines download, and what it must be.
type File struct {
	Component, Version string
	catalogue.Download
}

// list makes the questions: every address of every version of the components, every key of their sources and one file
// of each source. None is asked twice.
func list(o Options) []question {
	var all []question
	needed := map[string]bool{}
	for _, c := range o.Catalogue.Components {
		if !o.chosen(c.Name) {
			continue
		}
		files := map[string]*File{} // by URL
		for _, r := range c.Versions {
			for _, d := range o.Catalogue.Downloads(c.Name, r.Version) {
				files[d.URL] = &File{c.Name, r.Version, d}
			}
		}
		for _, purpose := range slices.Sorted(maps.Keys(c.URLs)) {
			for _, r := range c.Versions {
				values := map[string]string{"version": r.Version, "minor": version.Minor(r.Version)}
				for _, url := range o.spread(catalogue.Expand(c.URLs[purpose], values)) {
					if s, ok := o.Catalogue.SourceOf(url); ok {
						needed[s.Name] = true
					}
					q := o.question(c.Name+" "+r.Version+", "+purpose, url)
					q.file = files[url]
					all = append(all, q)
				}
			}
		}
	}
	for _, s := range o.Catalogue.Sources {
		if len(o.Names) > 0 && !needed[s.Name] {
			continue
		}
		for _, values := range o.minors(s) {
			if s.Try != "" {
				for _, url := range o.spreadFor(s, catalogue.Expand(s.URL+"/"+s.Try, values)) {
					all = append(all, o.question("source "+s.Name, url))
				}
			}
			if s.Key == nil {
				continue
			}
			for _, url := range o.spreadFor(s, catalogue.Expand(s.URL+"/"+s.Key.Path, values)) {
				q := o.question("key of "+s.Name, url)
				q.key = s.Key
				all = append(all, q)
			}
		}
	}
	return once(all)
}

// once leaves out what was asked before; a question about a key asks more than one about an address.
func once(all []question) []question {
	first := map[string]int{}
	var questions []question
	for _, q := range all {
		if i, ok := first[q.url]; ok {
			if questions[i].key == nil {
				questions[i].key = q.key
			}
			continue
		}
		first[q.url] = len(questions)
		questions = append(questions, q)
	}
	return questions
}

// question puts a mirror in the place of the address's source.
func (o Options) question(subject, url string) question {
	if s, ok := o.Catalogue.SourceOf(url); ok && s.Mirror != "" && o.Mirrors[s.Mirror] != "" {
		return question{subject: subject + " (mirror)", url: strings.TrimRight(o.Mirrors[s.Mirror], "/") + strings.TrimPrefix(url, s.URL), mirrored: true}
	}
	return question{subject: subject, url: url}
}

// minors gives {minor} its values for a source with an archive for each.
func (o Options) minors(s catalogue.Source) []map[string]string {
	if s.Key == nil || s.Key.Minor == "" {
		return []map[string]string{nil}
	}
	c, _ := o.Catalogue.Find(s.Key.Minor)
	var all []map[string]string
	for _, r := range c.Versions {
		all = append(all, map[string]string{"minor": r.Version})
	}
	return all
}

// spread fills in what differs from machine to machine: the architecture, and the distributions that a lab can start
// from.
func (o Options) spread(url string) []string {
	return o.spreadOver(url, func(catalogue.Distribution) bool { return true })
}

// spreadFor is spread for a source; a distribution's own archive has its own releases only.
func (o Options) spreadFor(s catalogue.Source, url string) []string {
	own := slices.ContainsFunc(o.Catalogue.Distributions, func(d catalogue.Distribution) bool { return d.ID == s.Name })
	return o.spreadOver(url, func(d catalogue.Distribution) bool { return !own || d.ID == s.Name })
}

func (o Options) spreadOver(url string, takes func(catalogue.Distribution) bool) []string {
	urls := []string{url}
	if strings.Contains(url, "{distribution}") || strings.Contains(url, "{codename}") {
		urls = nil
		for _, d := range o.Catalogue.Distributions {
			if d.End >= catalogue.DateOf(o.Now) && takes(d) {
				urls = append(urls, strings.NewReplacer("{distribution}", d.ID, "{codename}", d.Codename).Replace(url))
			}
		}
	}
	if !strings.Contains(url, "{arch}") {
		return urls
	}
	var each []string
	for _, u := range urls {
		for _, arch := range catalogue.Architectures() {
			each = append(each, strings.ReplaceAll(u, "{arch}", arch))
		}
	}
	return each
}
