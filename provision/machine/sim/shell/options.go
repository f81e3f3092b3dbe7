package shell

// options are those of set and shopt.
type options struct {
	allexport, errexit, noexec, noglob, nounset, xtrace, pipefail, errtrace, monitor, noclobber, stdin bool
	dotglob, extglob, nullglob, inheritErrexit                                                         bool
}

func (o *options) byName(name string) *bool {
	return map[string]*bool{
		"allexport": &o.allexport, "errexit": &o.errexit, "noexec": &o.noexec, "noglob": &o.noglob, "nounset": &o.nounset, "xtrace": &o.xtrace,
		"pipefail": &o.pipefail, "errtrace": &o.errtrace, "monitor": &o.monitor, "noclobber": &o.noclobber,
	}[name]
}

func (o *options) set(name string, on bool) bool {
	switch name {
	case "posix", "braceexpand", "hashall":
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
		'm': "monitor", 'C': "noclobber", 'h': "hashall", 'B': "braceexpand",
	}
	name, ok := names[c]
	return ok && o.set(name, on)
}

func (o *options) shopt(name string) *bool {
	return map[string]*bool{"dotglob": &o.dotglob, "extglob": &o.extglob, "nullglob": &o.nullglob, "inherit_errexit": &o.inheritErrexit}[name]
}
