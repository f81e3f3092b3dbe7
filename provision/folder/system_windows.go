package folder

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// noBlock is not needed: what blocks when it is opened has no name inside a folder.
const noBlock = 0

// replace renames a file.
func replace(root *os.Root, from, to string) error {
	return patiently(func() error { return root.Rename(from, to) })
}

// removeAll deletes a name with all that is below it.
func removeAll(root *os.Root, name string) error {
	return patiently(func() error { return root.RemoveAll(name) })
}

// patiently tries again for up to two seconds: Windows refuses while a program that does not share the file has it open,
// such as a virus scanner or a process that ends, which lasts milliseconds.
func patiently(do func() error) error {
	const pause, tries = 20 * time.Millisecond, 100
	for try := 1; ; try++ {
		err := do()
		if !isBusy(err) || try == tries {
			return err
		}
		time.Sleep(pause)
	}
}

func isBusy(err error) bool {
	return errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_SHARING_VIOLATION)
}

// IsFull reports whether err says that the disk, or the user's share of it, is full.
func IsFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL) || errors.Is(err, windows.ERROR_DISK_QUOTA_EXCEEDED)
}

// OwnerOf tells whose a file or folder is. ok is false where that cannot be told, as on disks without owners.
func OwnerOf(path string) (owner Owner, ok bool) {
	security, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return Owner{}, false
	}
	sid, _, err := security.Owner()
	if err != nil || sid == nil || sid.IsWellKnown(windows.WinWorldSid) {
		return Owner{}, false
	}
	token := windows.GetCurrentProcessToken()
	me, err := token.GetTokenUser()
	if err != nil {
		return Owner{}, false
	}
	owner = Owner{Name: sid.String(), Me: sid.Equals(me.User.Sid)}
	owner.System = sid.IsWellKnown(windows.WinBuiltinAdministratorsSid) || sid.IsWellKnown(windows.WinLocalSystemSid)
	if name, domain, _, err := sid.LookupAccount(""); err == nil {
		owner.Name = domain + `\` + name
	}
	// What an administrator makes may belong to the group.
	if member, err := windows.Token(0).IsMember(sid); err == nil && member && owner.System {
		owner.Me = true
	}
	return owner, true
}
