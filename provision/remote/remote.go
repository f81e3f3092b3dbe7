// Package remote reaches nodes by SSH and SFTP. It is the only package that knows either: dialling, running, copying,
// fan-out, keys and known hosts.
package remote

import (
	"context"
	"io"
	"time"
)

// Endpoint says where a node's sshd is and who logs in.
type Endpoint struct {
	Node     string    `json:"node"` // name for messages and for known_hosts
	Host     string    `json:"host"`
	Port     int       `json:"port"`
	User     string    `json:"user"`
	KeyFile  string    `json:"key_file,omitempty"`  // private key; empty: the lab's own, then the agent
	HostKeys []string  `json:"host_keys,omitempty"` // authorized_keys lines known from elsewhere: the first contact is strict already
	Jump     *Endpoint `json:"jump,omitempty"`      // reached through this host
}

// Host is a connected node. One connection carries many sessions at once; all methods may be called side by side.
type Host interface {
	// Name is the node's name, for messages.
	Name() string
	// Run runs a command. A command that ends with another code than 0 gives *ExitError, with Result filled all the same.
	// When ctx ends, the remote process gets a signal, then its session is closed.
	Run(ctx context.Context, c Command) (Result, error)
	// Put writes a file: temporary name, checksum, mode, rename; by sudo where the target needs it.
	Put(ctx context.Context, f File) error
	// Get reads a file.
	Get(ctx context.Context, path string, w io.Writer) error
	Close() error
}

// Command is what a node runs. Give Args or Shell.
type Command struct {
	Args  []string // quoted here and nowhere else
	Shell string   // a line for the login shell, passed as it is
	Sudo  bool     // as root, without a password prompt
	Stdin io.Reader
	// Lifeline keeps stdin open after Stdin is drained, until the command ends or ctx does: a script on the node can
	// tell by end of file that nobody waits for it any more.
	Lifeline bool
	Stdout   io.Writer // nil: kept in Result
	Stderr   io.Writer // nil: kept in Result
	Secret   bool      // the command line stands in no error and no log
}

// Result is what a command left. Stdout and Stderr hold at most the last 64 KiB where no writer was given;
// Stderr's tail is kept also where one was.
type Result struct {
	Stdout   []byte
	Stderr   []byte
	Code     int
	Duration time.Duration
}

// File is what Put writes. Size may be -1 when it is not known; Progress may be nil.
type File struct {
	Path     string // absolute, on the node
	Mode     uint32 // permission bits; 0: 0644
	Content  io.Reader
	Size     int64
	Sudo     bool             // owned by root
	Progress func(sent int64) // bytes so far
}
