package exercise

import (
	"fmt"

	"podium/provision/exercise/check"
	"podium/provision/lab"
	"podium/provision/wording"
)

// Schema is the JSON Schema (draft 2020-12) of exercise.yaml, for editors. It is made from the types; what it cannot say,
// such as that a check has one kind, Load alone checks.
func Schema() ([]byte, error) {
	s, err := lab.SchemaOf(&Exercise{}, "podium exercise", append(check.Sources(), typesSource, wording.Source())...)
	if err != nil {
		return nil, fmt.Errorf("describe the fields of %s: %w", FileName, err)
	}
	return lab.SchemaText(s)
}
