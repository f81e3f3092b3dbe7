package remote

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
)

// installScript puts an uploaded file in its place as root: $1 the upload, $2 the place, $3 a temporary name beside
// it, $4 the mode in octal, $5 the SHA-256. It ends with 66 if the sum differs, before anything is replaced.
const installScript = `set -eu
trap 'rm -f -- "$3"' EXIT
if [ -d "$2" ] && [ ! -L "$2" ]; then echo "$2: there is a folder by this name" >&2; exit 1; fi
install -o root -g root -m "$4" -T -- "$1" "$3"
sum=$(sha256sum <"$3")
[ "${sum%% *}" = "$5" ] || exit 66
sync -- "$3" 2>/dev/null || :
mv -fT -- "$3" "$2"`

// installName is $0 of installScript: what ps shows on the node.
const installName = "podium-install"

// sumDiffers is installScript's exit code for a damaged file.
const sumDiffers = 66

// putSudo uploads to a folder that only the user can enter, and installs from there.
func (c *Client) putSudo(ctx context.Context, f File) error {
	folder, err := c.private(ctx)
	if err != nil {
		return c.fileError("put", f.Path, err)
	}
	upload := path.Join(folder, "upload")
	defer c.discardFolder(ctx, folder, upload)
	sum, err := c.upload(ctx, upload, f)
	if err != nil {
		return c.fileError("put", f.Path, err)
	}
	_, err = c.Run(ctx, Command{Sudo: true, Args: []string{"sh", "-c", installScript, installName,
		upload, f.Path, tempBeside(f.Path), strconv.FormatUint(uint64(f.Mode), 8), sum.hex}})
	return c.installError(f.Path, err)
}

// installError says why an install failed; the script itself is of no interest to the reader.
func (c *Client) installError(name string, err error) error {
	var exit *ExitError
	if err == nil || !errors.As(err, &exit) {
		return err
	}
	short := *exit
	short.Command = "put " + name
	var sudo *sudoError
	switch {
	case errors.As(err, &sudo):
		return &sudoError{&short, sudo.hint}
	case exit.Code == sumDiffers:
		return c.fileError("put", name, ErrChecksum)
	case contains(exit.Stderr, "No space left on device"):
		return fmt.Errorf("%w: %w", ErrNoSpace, &short)
	}
	return &short
}

// private makes a folder for uploads that nobody else can enter. /var/tmp comes first because /tmp may be memory.
func (c *Client) private(ctx context.Context) (folder string, err error) {
	err = c.files.use(ctx, func(s *transfer) error {
		var err error
		for _, base := range []string{"/var/tmp", "/tmp"} {
			folder = path.Join(base, "podium-"+random())
			if err = s.Mkdir(folder); err == nil {
				return s.Chmod(folder, 0o700)
			}
		}
		return fmt.Errorf("folder %s: %w", folder, err)
	})
	return folder, err
}

func (c *Client) discardFolder(ctx context.Context, folder string, files ...string) {
	for _, f := range append(files, folder) {
		c.discard(ctx, f)
	}
}
