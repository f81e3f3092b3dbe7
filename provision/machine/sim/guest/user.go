package guest

import (
	"strconv"
	"strings"

	"podium/provision/machine/sim/vfs"
)

// User is a line of /etc/passwd.
type User struct {
	Name, Home, Shell string
	UID, GID          uint32
}

// Users reads /etc/passwd.
func (m *Machine) Users() []User {
	text, err := m.FS.ReadFile(vfs.Root(), "/etc/passwd")
	if err != nil {
		return nil
	}
	var users []User
	for line := range strings.SplitSeq(text, "\n") {
		f := strings.Split(line, ":")
		if len(f) < 7 {
			continue
		}
		uid, err1 := strconv.ParseUint(f[2], 10, 32)
		gid, err2 := strconv.ParseUint(f[3], 10, 32)
		if err1 == nil && err2 == nil {
			users = append(users, User{Name: f[0], UID: uint32(uid), GID: uint32(gid), Home: f[5], Shell: f[6]})
		}
	}
	return users
}

// Group is a line of /etc/group.
type Group struct {
	Name    string
	GID     uint32
	Members []string
}

// Groups reads /etc/group.
func (m *Machine) Groups() []Group {
	text, err := m.FS.ReadFile(vfs.Root(), "/etc/group")
	if err != nil {
		return nil
	}
	var groups []Group
	for line := range strings.SplitSeq(text, "\n") {
		f := strings.Split(line, ":")
		if len(f) < 4 {
			continue
		}
		gid, err := strconv.ParseUint(f[2], 10, 32)
		if err != nil {
			continue
		}
		g := Group{Name: f[0], GID: uint32(gid)}
		for name := range strings.SplitSeq(f[3], ",") {
			if name != "" {
				g.Members = append(g.Members, name)
			}
		}
		groups = append(groups, g)
	}
	return groups
}

// FindUser finds a user by name or number.
func (m *Machine) FindUser(name string) (User, bool) {
	n, numeric := number(name)
	for _, u := range m.Users() {
		if u.Name == name || numeric && u.UID == uint32(n) {
			return u, true
		}
	}
	return User{}, false
}

// FindGroup finds a group by name or number.
func (m *Machine) FindGroup(name string) (Group, bool) {
	n, numeric := number(name)
	for _, g := range m.Groups() {
		if g.Name == name || numeric && g.GID == uint32(n) {
			return g, true
		}
	}
	return Group{}, false
}

// CredOf is what a login of the user may do.
func (m *Machine) CredOf(u User) vfs.Cred {
	c := vfs.Cred{UID: u.UID, GID: u.GID, Umask: 0o022}
	for _, g := range m.Groups() {
		for _, member := range g.Members {
			if member == u.Name {
				c.Groups = append(c.Groups, g.GID)
			}
		}
	}
	return c
}

// UserName is the name of a user number, or the number.
func UserName(p *Process, uid uint32) string {
	for _, u := range p.Machine().Users() {
		if u.UID == uid {
			return u.Name
		}
	}
	return strconv.FormatUint(uint64(uid), 10)
}

// GroupName is the name of a group number, or the number.
func GroupName(p *Process, gid uint32) string {
	for _, g := range p.Machine().Groups() {
		if g.GID == gid {
			return g.Name
		}
	}
	return strconv.FormatUint(uint64(gid), 10)
}
