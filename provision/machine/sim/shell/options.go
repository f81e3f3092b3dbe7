package shell

// options are those of set and shopt.
type options struct {
	allexport, errexit, noexec, noglob, nounset, xtrace, pipefail, errtrace, monitor, noclobber, verbose bool
	functrace, stdin                                                                                     bool
	dotglob, extglob, globstar, nocaseglob, nullglob, failglob, inheritErrexit, lastpipe, nocasematch    bool
	expandAliases                                                                                        bool
}

func (o *options) byName(name string) *bool {
	switch name {
	case "allexport":
		return &o.allexport
	case "errexit":
		return &o.errexit
	case "noexec":
		return &o.noexec
	case "noglob":
		return &o.noglob
	case "nounset":
		return &o.nounset
	case "xtrace":
		return &o.xtrace
	case "pipefail":
		return &o.pipefail
	case "errtrace":
		return &o.errtrace
	case "functrace":
		return &o.functrace
	case "monitor":
		return &o.monitor
	case "noclobber":
		return &o.noclobber
	case "verbose":
		return &o.verbose
	}
	return nil
}

func (o *options) set(name string, on bool) bool {
	switch name {
	case "posix", "braceexpand", "hashall", "history", "interactive-comments", "notify", "physical", "privileged", "ignoreeof", "emacs", "vi":
		return true // nothing here depends on them
	}
	p := o.byName(name)
	if p != nil {
		*p = on
	}
	return p != nil
}

// letter sets an option by its letter.
func (o *options) letter(c byte, on bool) bool {
	names := map[byte]string{
		'a': "allexport", 'e': "errexit", 'n': "noexec", 'f': "noglob", 'u': "nounset", 'x': "xtrace", 'E': "errtrace",
		'm': "monitor", 'C': "noclobber", 'v': "verbose", 'T': "functrace", 'h': "hashall", 'B': "braceexpand",
		'b': "notify", 'p': "privileged", 'P': "physical",
	}
	name, ok := names[c]
	return ok && o.set(name, on)
}

func (o *options) flags() string {
	s := ""
	for _, f := range []struct {
		on bool
		c  string
	}{
		{o.allexport, "a"}, {o.errexit, "e"}, {o.noglob, "f"}, {true, "h"}, {o.monitor, "m"}, {o.nounset, "u"}, {o.xtrace, "x"},
		{true, "B"}, {o.noclobber, "C"}, {o.errtrace, "E"},
	} {
		if f.on {
			s += f.c
		}
	}
	return s
}

func (o *options) shopt(name string) *bool {
	switch name {
	case "dotglob":
		return &o.dotglob
	case "extglob":
		return &o.extglob
	case "globstar":
		return &o.globstar
	case "nocaseglob":
		return &o.nocaseglob
	case "nullglob":
		return &o.nullglob
	case "failglob":
		return &o.failglob
	case "inherit_errexit":
		return &o.inheritErrexit
	case "lastpipe":
		return &o.lastpipe
	case "nocasematch":
		return &o.nocasematch
	case "expand_aliases":
		return &o.expandAliases
	}
	return nil
}
