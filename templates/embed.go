// Package templates turns typed data into the text of configuration files. What each takes is a struct beside it.
package templates

import (
	"embed"
	"fmt"
	"strings"
	"text/template"
)

//go:embed *.tmpl prometheus-rules.yml
var files embed.FS

// render fills the template file called name, which may use funcs beside text/template's own. The error names the file.
func render(name string, data any, funcs template.FuncMap) (string, error) {
	text, err := files.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("template %s: %w", name, err)
	}
	t, err := template.New(name).Option("missingkey=error").Funcs(funcs).Parse(string(text))
	if err != nil {
		return "", fmt.Errorf("template %w", err)
	}
	var out strings.Builder
	if err := t.Execute(&out, data); err != nil {
		return "", fmt.Errorf("template %w", err)
	}
	return out.String(), nil
}
