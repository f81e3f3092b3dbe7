package lab

import (
	"bytes"
	"errors"
	"io"
	"io/fs"

	"go.yaml.in/yaml/v3"

	"podium/provision/folder"
)

// ConfigFile is the file of a user's own settings, below the folder that the system has for such (os.UserConfigDir).
const ConfigFile = "podium/config.yaml"

// Config is what a user sets for all labs of a computer.
type Config struct {
	Mirrors Mirrors `yaml:"mirrors"` // for what neither lab.yaml nor the environment names
}

// readConfig reads the user's settings and says where each stands. A file that is not there or holds nothing sets
// nothing.
func readConfig(path string) (Config, Positions, error) {
	var c Config
	if path == "" {
		return c, Positions{}, nil
	}
	text, err := readable(folder.ReadFile(path, maxFile))
	if errors.Is(err, fs.ErrNotExist) || err == nil && holdsNothing(text) {
		return c, Positions{}, nil
	}
	if err != nil {
		return c, Positions{}, err
	}
	at, err := Decode(path, text, &c, "mirrors")
	return c, at, err
}

// holdsNothing reports whether a text is YAML without a value, such as one with comments alone.
func holdsNothing(text []byte) bool {
	var n yaml.Node
	err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&n)
	return errors.Is(err, io.EOF) || err == nil && n.Content[0].Tag == "!!null"
}
