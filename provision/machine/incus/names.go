package incus

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// Config keys that podium's things carry. Keys below user. are free for all:
// https://linuxcontainers.org/incus/docs/main/reference/instance_options/
const (
	keyLab      = "user.podium.lab"
	keyOwner    = "user.podium.owner"
	keyNode     = "user.podium.node"
	keyUser     = "user.podium.user"      // who logs in
	keyHostKeys = "user.podium.host-keys" // public, one a line; set once the machine can be logged in to
)

// owner says whose lab it is: two people with a k8s-basic each on one server must not meet. It needs no local state.
func owner(folder string) (string, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("this computer's name: %w", err)
	}
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return fmt.Sprintf("%s@%s:%s", name, host, filepath.ToSlash(folder)), nil
}

// instanceName is what Incus calls a node: lab-node. Incus takes at most 63 letters, digits and hyphens, the first a
// letter; both parts are such labels already.
func instanceName(labName, node string) string {
	name := labName + "-" + node
	if name[0] >= '0' && name[0] <= '9' {
		name = "lab-" + name
	}
	if len(name) > 63 {
		name = name[:54] + "-" + digest(name)[:8]
	}
	return name
}

// networkName is what Incus calls the lab's network, which is a bridge of the server's kernel too: at most 15 bytes.
func networkName(labName, owner string) string {
	short := labName[:min(len(labName), 5)]
	return "pd-" + strings.Trim(short, "-") + "-" + digest(owner + "\n" + labName)[:6]
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
