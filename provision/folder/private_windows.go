package folder

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// Private lets only this user and the system's administrators into a folder, and to what is made in it later. Windows
// does not look at a file's mode: outside of a user's profile every account may read what is not kept from it.
func Private(path string) error {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err == nil {
		// P: nothing is inherited from above. OICI: files and folders inherit it. FA: all rights. SY, BA: the system and
		// administrators.
		err = setAccess(path, "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;"+user.User.Sid.String()+")")
	}
	if err != nil {
		return fmt.Errorf("keep %s from other accounts: %w", path, err)
	}
	return nil
}

// setAccess says who may do what, in the security descriptor definition language.
func setAccess(path, text string) error {
	access, err := windows.SecurityDescriptorFromString(text)
	if err != nil {
		return err
	}
	list, _, err := access.DACL()
	if err != nil {
		return err
	}
	return windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil)
}
