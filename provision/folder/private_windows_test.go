package folder

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

func TestPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), ".podium")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := setAccess(dir, "D:(A;OICI;FA;;;WD)"); err != nil {
		t.Fatal(err)
	}
	if list := access(t, dir); !strings.Contains(list, ";WD)") {
		t.Fatalf("everybody has no access to begin with: %s", list)
	}
	if err := Private(dir); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, "id_ed25519")
	if err := os.WriteFile(key, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(key); err != nil || string(text) != "secret" {
		t.Errorf("the user reads %q, %v", text, err)
	}
	for _, path := range []string{dir, key} {
		list := access(t, path)
		for _, others := range []string{"WD", "BU", "AU", "IU"} { // everybody, users, all who are logged in
			if strings.Contains(list, "FA;;;"+others+")") || strings.Contains(list, "0x1301ff;;;"+others+")") {
				t.Errorf("%s: others may write: %s", path, list)
			}
			if strings.Contains(list, ";"+others+")") && !wine() {
				t.Errorf("%s: others may read: %s", path, list)
			}
		}
	}
}

// access is who may do what.
func access(t *testing.T, path string) string {
	t.Helper()
	of, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		t.Fatal(err)
	}
	return of.String()
}

// wine tells Wine, which keeps no more of such a list than the mode of a file can say, and lets everybody read.
func wine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}
