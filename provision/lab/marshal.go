package lab

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Marshal writes the lab as a lab.yaml. After Default, reading it again gives the same lab, but for Dir.
func Marshal(l Lab) ([]byte, error) {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(l); err != nil {
		return nil, fmt.Errorf("write lab %s as YAML: %w", l.Name, err)
	}
	if err := e.Close(); err != nil {
		return nil, fmt.Errorf("write lab %s as YAML: %w", l.Name, err)
	}
	return b.Bytes(), nil
}
