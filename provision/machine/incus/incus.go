// Package incus makes the machines of a lab as system containers or virtual machines of an Incus that exists already,
// local or remote. It drives the incus client and needs no library: every call but two is `incus query`, the server's
// REST API (https://linuxcontainers.org/incus/docs/main/rest-api/) with JSON in and out.
//
// What it makes carries the lab's name and its owner as config (user.podium.lab, user.podium.owner, user.podium.node),
// so that it is found again without any local state, and nothing that lacks them is ever changed or removed.
//
// A node of a Kubernetes cluster in a container needs a privileged one: root there is root on the server, so such a lab
// belongs on a machine that its students may own. Every other container is unprivileged.
package incus

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/hashicorp/go-hclog"

	"podium/provision/folder"
	"podium/provision/lab"
	"podium/provision/machine"
)

// Options is what a Provider is made of.
type Options struct {
	Lab        string       // the lab's name; empty: what the last Prepare wrote into Dir
	Dir        string       // .podium/incus: where the provider remembers which server, project and lab it works for
	Folder     string       // the lab's folder; with user and host name it says whose lab this is
	Incus      *lab.Incus   // where to work; nil: what the last Prepare wrote into Dir
	Executable string       // the client; empty: incus, found by PATH
	Log        hclog.Logger // nil: silent
}

// Provider makes and keeps the machines of one lab. It implements machine.Provider.
type Provider struct {
	client client
	dir    string
	log    hclog.Logger

	cgroupV1 bool // what this computer has; the server too, if it is this computer

	place place // whose lab, and where; fixed once settled

	spec      machine.Spec // set by Prepare
	shared    shared       // what Prepare found for all machines
	clustered bool
	underway  []operation // what Prepare found the server doing
	placing   sync.Mutex  // held while an instance of a cluster is made

	mu     sync.Mutex
	listed bool                // nodes and others are filled
	nodes  map[string]instance // the lab's instances by node name
	others map[string]instance // everybody else's by instance name
	given  map[string]bool     // nodes that Up has returned
}

var _ machine.PowerSwitch = (*Provider)(nil)

// place says whose lab it is and where its machines are. It is remembered in Dir.
type place struct {
	Lab     string `json:"lab"`
	Owner   string `json:"owner"`   // user@host:folder
	Remote  string `json:"remote"`  // as the client calls it
	Project string `json:"project"` // on that remote
	Host    string `json:"host"`    // of a server elsewhere; empty: this computer
}

// rememberedFile is the file in Dir that holds a place.
const rememberedFile = "incus.json"

// maxRemembered bounds what is read of it, in bytes.
const maxRemembered = 64 << 10

// New makes a provider. It calls nothing yet: an Incus that is not there is reported by the first method.
func New(o Options) (*Provider, error) {
	p := &Provider{dir: o.Dir, log: o.Log, given: map[string]bool{}}
	if p.log == nil {
		p.log = hclog.NewNullLogger()
	}
	p.cgroupV1 = missing("/sys/fs/cgroup/cgroup.controllers") && !missing("/sys/fs/cgroup")
	remembered, err := p.remembered()
	if err != nil {
		return nil, err
	}
	p.place = remembered
	if o.Lab != "" {
		p.place.Lab = o.Lab
	}
	if p.place.Owner == "" {
		if p.place.Owner, err = owner(o.Folder); err != nil {
			return nil, err
		}
	}
	if o.Incus != nil {
		// A lab that was made elsewhere stays where it is as long as the description does not say otherwise.
		if o.Incus.Remote != "" {
			p.place.Remote = o.Incus.Remote
		}
		if o.Incus.Project != "" {
			p.place.Project = o.Incus.Project
		}
	}
	if p.place.Lab == "" {
		return nil, fmt.Errorf("which lab is it? %s is not there; give the lab's folder", filepath.Join(o.Dir, rememberedFile))
	}
	p.client = client{program: o.Executable, remote: p.place.Remote, project: p.place.Project, log: p.log}
	return p, nil
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

func (p *Provider) remembered() (place, error) {
	var known place
	path := filepath.Join(p.dir, rememberedFile)
	text, err := p.files().Read(rememberedFile, maxRemembered)
	if errors.Is(err, fs.ErrNotExist) {
		return known, nil
	}
	if err != nil {
		return known, err
	}
	if err := json.Unmarshal(text, &known); err != nil {
		return known, fmt.Errorf("%s: %w: remove the file; the machines are found by the lab's name", path, err)
	}
	return known, nil
}

func (p *Provider) remember() error {
	text, err := json.MarshalIndent(p.place, "", "  ")
	if err != nil {
		return err
	}
	if err := p.files().MkdirAll("."); err != nil {
		return err
	}
	if old, err := p.files().Read(rememberedFile, maxRemembered); err == nil && string(old) == string(text) {
		return nil
	}
	return p.files().Write(rememberedFile, text, 0o600)
}

// files is the provider's own folder. A link in it that leads out of .podium is not followed.
func (p *Provider) files() folder.Folder {
	return folder.At(filepath.Dir(p.dir)).Sub(filepath.Base(p.dir))
}
