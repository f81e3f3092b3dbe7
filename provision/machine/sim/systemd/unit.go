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
