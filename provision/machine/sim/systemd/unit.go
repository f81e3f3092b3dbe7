// Package systemd models the system manager of a node: units from files, started, enabled, masked; the journal; and
// the small tools around it. What is enabled is links in /etc/systemd/system, so that it survives a reboot, a snapshot
// and nothing else; what runs is forgotten at a reboot.
package systemd

import (
	"fmt"
	"hash/maphash"
	"sort"
	"strings"
	"sync"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// unitDirs are where unit files lie, the most important first.
func unitDirs() []string {
	return []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"}
}

// definition is a unit file with its drop-ins.
type definition struct {
	name     string
	file     string // "" if there is none
	masked   bool
	template bool
	settings map[string]map[string][]string // section, key: values in order
	text     string                         // all files, for systemctl cat
}

func (d *definition) values(section, key string) []string { return d.settings[section][key] }

func (d *definition) value(section, key string) string {
	v := d.settings[section][key]
	if len(v) == 0 {
		return ""
	}
	return v[len(v)-1]
}

// words are the values of a setting that lists names.
func (d *definition) words(section, key string) []string {
	var list []string
	for _, v := range d.values(section, key) {
		list = append(list, strings.Fields(v)...)
	}
	return list
}

func (d *definition) bool(section, key string) bool {
	switch strings.ToLower(d.value(section, key)) {
	case "1", "yes", "true", "on":
		return true
	}
	return false
}

// full adds .service to a name without a suffix.
func full(name string) string {
	for _, suffix := range []string{".service", ".socket", ".target", ".timer", ".mount", ".swap", ".path", ".slice", ".scope", ".device"} {
		if strings.HasSuffix(name, suffix) {
			return name
		}
	}
	return name + ".service"
}

// unitFile is a file of a unit as it was found.
type unitFile struct{ name, text string }

// load reads a unit from its files; nil if there is none. Nodes with equal files share what was read, which never changes.
func load(m *guest.Machine, name string) *definition {
	fs, root := m.FS, vfs.Root()
	d := &definition{name: name}
	var files []unitFile
	names := []string{name}
	instance := ""
	if at := strings.IndexByte(name, '@'); at > 0 {
		dot := strings.LastIndexByte(name, '.')
		instance = name[at+1 : dot]
		names = append(names, name[:at+1]+name[dot:])
	}
	for i, n := range names {
		for _, dir := range unitDirs() {
			file := dir + "/" + n
			if to, err := fs.Readlink(root, file); err == nil && to == "/dev/null" {
				d.masked, d.file = true, file
				return d
			}
			text, err := fs.ReadFile(root, file)
			if err != nil {
				continue
			}
			if text == "" {
				d.masked, d.file = true, file
				return d
			}
			d.file, d.template = file, i > 0
			files = append(files, unitFile{file, text})
			break
		}
		if d.file != "" {
			break
		}
	}
	if d.file == "" {
		return nil
	}
	for _, file := range dropIns(m, names) {
		if text, err := fs.ReadFile(root, file); err == nil {
			files = append(files, unitFile{file, text})
		}
	}
	if m.Net == nil { // an image that is being made
		return d.parse(files, instance)
	}
	shared := m.Net.Shared(sharedKey{}, func() any { return &sharedUnits{} }).(*sharedUnits)
	return shared.get(d, files, instance)
}

func (d *definition) parse(files []unitFile, instance string) *definition {
	d.settings = map[string]map[string][]string{}
	for _, f := range files {
		d.read(f.name, f.text, instance)
	}
	return d
}

type sharedKey struct{}

// sharedUnits keeps what was read of unit files, by their names and texts.
type sharedUnits struct {
	mu   sync.Mutex
	seed maphash.Seed
	all  map[uint64]*definition
}

const sharedLimit = 2000

func (s *sharedUnits) get(d *definition, files []unitFile, instance string) *definition {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil || len(s.all) > sharedLimit {
		s.seed, s.all = maphash.MakeSeed(), map[uint64]*definition{}
	}
	var h maphash.Hash
	h.SetSeed(s.seed)
	h.WriteString(d.name)
	for _, f := range files {
		h.WriteByte(0)
		h.WriteString(f.name)
		h.WriteByte(0)
		h.WriteString(f.text)
	}
	key := h.Sum64()
	if known := s.all[key]; known != nil {
		return known
	}
	s.all[key] = d.parse(files, instance)
	return d
}

func dropIns(m *guest.Machine, names []string) []string {
	found := map[string]string{}
	for _, dir := range unitDirs() {
		for _, n := range names {
			entries, err := m.FS.ReadDir(vfs.Root(), dir+"/"+n+".d")
			if err != nil {
				continue
			}
			for _, e := range entries {
				if _, hidden := found[e.Name()]; !hidden && strings.HasSuffix(e.Name(), ".conf") {
					found[e.Name()] = dir + "/" + n + ".d/" + e.Name()
				}
			}
		}
	}
	var keys []string
	for k := range found {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var files []string
	for _, k := range keys {
		files = append(files, found[k])
	}
	return files
}

// read takes in the text of a unit file or drop-in. An empty value forgets the earlier ones.
func (d *definition) read(file, text, instance string) {
	d.text += fmt.Sprintf("# %s\n%s\n", file, strings.TrimRight(text, "\n"))
	section := ""
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' {
			section = strings.Trim(line, "[]")
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || section == "" {
			continue
		}
		if d.settings[section] == nil {
			d.settings[section] = map[string][]string{}
		}
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		value = strings.NewReplacer("%i", instance, "%I", instance, "%n", d.name, "%N", strings.TrimSuffix(d.name, ".service"), "%%", "%").Replace(value)
		if value == "" {
			delete(d.settings[section], key)
			continue
		}
		d.settings[section][key] = append(d.settings[section][key], value)
	}
}

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

// Enabled reports what systemctl is-enabled says, by the links in /etc/systemd/system.
func Enabled(m *guest.Machine, name string) string {
	d := load(m, name)
	switch {
	case d == nil:
		return "not-found"
	case d.masked:
		return "masked"
	case linked(m, name):
		return "enabled"
	case len(d.words("Install", "WantedBy"))+len(d.words("Install", "RequiredBy"))+len(d.words("Install", "Also"))+len(d.words("Install", "Alias")) == 0:
		return "static"
	}
	return "disabled"
}

func linked(m *guest.Machine, name string) bool {
	for _, dir := range wantsDirs(m) {
		if _, err := m.FS.Lstat(vfs.Root(), dir+"/"+name); err == nil {
			return true
		}
	}
	return false
}

// wantsDirs are the directories of links that pull units in at boot.
func wantsDirs(m *guest.Machine) []string {
	entries, err := m.FS.ReadDir(vfs.Root(), "/etc/systemd/system")
	if err != nil {
		return nil
	}
	var dirs []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".wants") || strings.HasSuffix(e.Name(), ".requires") {
			dirs = append(dirs, "/etc/systemd/system/"+e.Name())
		}
	}
	return dirs
}

// Enable makes the links of a unit; made gets a line for each that is new. An error is worded as systemctl words it.
func Enable(m *guest.Machine, name string, made func(line string)) error {
	d := load(m, name)
	switch {
	case d == nil:
		return fmt.Errorf("Failed to enable unit: Unit file %s does not exist.", name) //nolint:staticcheck // systemctl's words
	case d.masked:
		return fmt.Errorf("Failed to enable unit: Unit file %s is masked.", d.file) //nolint:staticcheck
	}
	link := func(path string) error {
		fs, root := m.FS, vfs.Root()
		if _, err := fs.Lstat(root, path); err == nil {
			return nil
		}
		if err := fs.MkdirAll(root, path[:strings.LastIndexByte(path, '/')], 0o755); err != nil {
			return err
		}
		if err := fs.Symlink(root, d.file, path); err != nil {
			return err
		}
		if made != nil {
			made(fmt.Sprintf("Created symlink %s → %s.", path, d.file))
		}
		return nil
	}
	for _, kind := range []struct{ key, dir string }{{"WantedBy", "wants"}, {"RequiredBy", "requires"}} {
		for _, target := range d.words("Install", kind.key) {
			if err := link("/etc/systemd/system/" + target + "." + kind.dir + "/" + name); err != nil {
				return err
			}
		}
	}
	for _, alias := range d.words("Install", "Alias") {
		if err := link("/etc/systemd/system/" + alias); err != nil {
			return err
		}
	}
	for _, also := range d.words("Install", "Also") {
		if also != name && !linked(m, also) {
			if err := Enable(m, also, made); err != nil {
				return err
			}
		}
	}
	return nil
}

// Disable removes the links of a unit.
func Disable(m *guest.Machine, name string, removed func(line string)) error {
	if load(m, name) == nil {
		return fmt.Errorf("Failed to disable unit: Unit file %s does not exist.", name) //nolint:staticcheck // systemctl's words
	}
	for _, dir := range wantsDirs(m) {
		path := dir + "/" + name
		if m.FS.Remove(vfs.Root(), path) == nil && removed != nil {
			removed(fmt.Sprintf("Removed %q.", path))
		}
	}
	return nil
}
