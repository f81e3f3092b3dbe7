package vagrant

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"podium/provision/folder"
)

// What Vagrant keeps of a machine in .vagrant/machines/NAME/PROVIDER, as its own code reads and writes it
// (https://github.com/hashicorp/vagrant/blob/main/lib/vagrant/machine.rb):
//
//	id               the hypervisor's id
//	creator_uid      only this account may use the machine
//	vagrant_cwd      the Vagrantfile's folder; another one is warned of
//	box_meta         the box that the machine was made from, noted when its first boot has ended
//	action_set_name  the machine has its name
//	synced_folders   none
//	private_key      opens the machine, instead of the key that every box has
//	index_uuid       its entry in the list of `vagrant global-status`

// writeVagrantData writes down a machine that is about to be made, as Vagrant does for its own.
func (p *Provider) writeVagrantData(name, id string) error {
	dir := p.dataName(name)
	if err := p.files().RemoveAll(dir); err != nil { // of a machine that is gone
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, file := range []struct{ name, text string }{
		{"creator_uid", strconv.Itoa(max(0, os.Getuid()))}, // Ruby's Process.uid is 0 on Windows
		{"vagrant_cwd", p.o.Dir},
		{"action_set_name", strconv.FormatInt(time.Now().Unix(), 10)},
		{"synced_folders", "{}"},
		{"id", id},
	} {
		if err := p.write(filepath.Join(dir, file.name), []byte(file.text)); err != nil {
			return err
		}
	}
	return nil
}

// boxFolder is where the template's box lies, by what Vagrant has noted in its index.
func (m *templateMachine) boxFolder(home string) (string, error) {
	index, err := readIndex(indexPath(home))
	if err != nil {
		return "", err
	}
	var entry struct {
		Extra struct {
			Box struct{ Name, Version, Provider string } `json:"box"`
		} `json:"extra_data"`
	}
	if err := m.indexEntry(index, &entry); err != nil {
		return "", err
	}
	box := entry.Extra.Box
	folders := BoxFolders(home, box.Name, box.Version, box.Provider)
	if len(folders) != 1 {
		return "", noClone("the box of %s, %s %s, is in %d folders", m.name, box.Name, box.Version, len(folders))
	}
	return folders[0], nil
}

// baseSnapshot is the name that Vagrant gives to the master's snapshot from which machines are cloned.
const baseSnapshot = "base"

// masterOf is the machine whose disk all linked clones of a box share.
func masterOf(boxFolder string) (string, error) {
	id, err := os.ReadFile(filepath.Join(boxFolder, "master_id"))
	if err != nil {
		return "", noClone("Vagrant has made no master of the box")
	}
	return strings.TrimSpace(string(id)), nil
}

// boxWants reports whether a box asks for this hardware address (config.vm.base_mac), as its guest may depend on it.
func boxWants(boxFolder, mac string) bool {
	text, err := os.ReadFile(filepath.Join(boxFolder, "Vagrantfile"))
	return err == nil && bytes.Contains(bytes.ToUpper(text), []byte(strings.ToUpper(mac)))
}

// noPlugins reports whether Vagrant's plugins.json lists no plugin.
func noPlugins(text []byte) bool {
	var list struct {
		Installed map[string]json.RawMessage `json:"installed"`
	}
	return json.Unmarshal(text, &list) == nil && len(list.Installed) == 0
}

// machineIndex is the file in which Vagrant lists all machines of this account, for `vagrant global-status`
// (https://github.com/hashicorp/vagrant/blob/main/lib/vagrant/machine_index.rb). Entries are kept as they are.
type machineIndex struct {
	Version  int                        `json:"version"`
	Machines map[string]json.RawMessage `json:"machines"`
}

func indexPath(home string) string { return filepath.Join(home, "data", "machine-index", "index") }

func readIndex(path string) (machineIndex, error) {
	var index machineIndex
	text, err := os.ReadFile(path)
	if err != nil {
		return index, fmt.Errorf("read Vagrant's index: %w", err)
	}
	if err := json.Unmarshal(text, &index); err != nil || index.Version != 1 {
		return index, fmt.Errorf("read Vagrant's index %s: version %d: %w", path, index.Version, errors.Join(errNoClone, err))
	}
	return index, nil
}

// indexEntry reads the template's entry.
func (m *templateMachine) indexEntry(index machineIndex, into any) error {
	id, err := os.ReadFile(filepath.Join(m.data, "index_uuid"))
	if err == nil {
		err = json.Unmarshal(index.Machines[string(bytes.TrimSpace(id))], into)
	}
	if err != nil {
		return fmt.Errorf("%s in Vagrant's index: %w", m.name, err)
	}
	return nil
}

// indexLockWait bounds the wait for another Vagrant to write the index.
const indexLockWait = 10 * time.Second

// addToIndex adds a machine to Vagrant's index: the template's entry under another name.
func (p *Provider) addToIndex(ctx context.Context, home string, m *templateMachine, name string) error {
	path := indexPath(home)
	ctx, cancel := context.WithTimeout(ctx, indexLockWait)
	defer cancel()
	lock := flock.New(path + ".lock")
	if ok, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil || !ok {
		return fmt.Errorf("lock Vagrant's index: %w", errors.Join(err, ctx.Err()))
	}
	defer func() { _ = lock.Unlock() }()
	index, err := readIndex(path)
	if err != nil {
		return err
	}
	var entry map[string]any
	if err := m.indexEntry(index, &entry); err != nil {
		return err
	}
	entry["name"], entry["state"] = name, "running"
	id := strings.ReplaceAll(newUUID(), "-", "")
	if index.Machines[id], err = json.Marshal(entry); err != nil {
		return err
	}
	text, err := json.Marshal(index)
	if err != nil {
		return err
	}
	if err := folder.WriteFile(path, text, 0o600); err != nil {
		return err
	}
	return p.write(filepath.Join(p.dataName(name), "index_uuid"), []byte(id))
}

// newUUID is a random one (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	text := hex.EncodeToString(b[:])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}
