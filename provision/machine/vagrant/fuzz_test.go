package vagrant

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is read of podium.json is written back as it was; what cannot be read names the file.
func FuzzMemory(f *testing.F) {
	f.Add([]byte(`{"version":1,"lab":"k8s","user":"vagrant","nodes":{"cp":{"address":"192.168.56.10","port":22080,"id":"x","made":"y"}}}`))
	f.Add([]byte(`{"nodes":null}`))
	f.Add([]byte(`[]`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		p := &Provider{o: Options{Dir: dir}}
		if err := p.write(memoryName, text); err != nil {
			t.Fatal(err)
		}
		ports, _, err := p.Known()
		if err != nil {
			if !strings.Contains(err.Error(), memoryName) {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		again, err := json.Marshal(p.memory)
		if err != nil {
			t.Fatal(err)
		}
		q := &Provider{o: Options{Dir: dir}}
		if err := q.write(memoryName, again); err != nil {
			t.Fatal(err)
		}
		same, _, err := q.Known()
		if diff := cmp.Diff(ports, same); err != nil || diff != "" {
			t.Errorf("%v: ports (-read +written):\n%s", err, diff)
		}
	})
}

// Vagrant's own files may be of any version, or half written.
func FuzzVagrantData(f *testing.F) {
	f.Add([]byte(`{"version":1,"machines":{"id":{"name":"cp","provider":"virtualbox"}}}`), []byte("id\n"))
	f.Add([]byte(`{"version":1}`), []byte(""))
	f.Add([]byte(`{"version":"1","installed":{}}`), []byte("id"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text, id []byte) {
		noPlugins(text)
		path := filepath.Join(dir, "index")
		for name, content := range map[string][]byte{path: text, filepath.Join(dir, "index_uuid"): id} {
			if err := os.WriteFile(name, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		index, err := readIndex(path)
		if err == nil {
			var entry map[string]any
			err = (&templateMachine{name: "cp", data: dir}).indexEntry(index, &entry)
		}
		if err != nil && !strings.Contains(err.Error(), "index") {
			t.Errorf("the error does not name what could not be read: %v", err)
		}
	})
}
