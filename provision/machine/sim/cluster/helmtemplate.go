package cluster

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v3"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

// helmTemplate renders a chart's archive: `helm template NAME CHART.tgz`. Templates have values and the release's
// namespace, and none of Helm's functions.
func helmTemplate(p *guest.Process, o option.Set) int {
	if len(o.Args) != 3 {
		p.Errorf("Error: expected at most two arguments, unexpected arguments (the simulator's model wants a name and an archive)")
		return 1
	}
	out, err := renderChart(p, o.Args[2], o.Values("f"), or(o.Value("n"), "default"))
	if err != nil {
		p.Errorf("Error: %v", err)
		return 1
	}
	p.Print(out)
	return 0
}

func renderChart(p *guest.Process, archive string, valueFiles []string, namespace string) (string, error) {
	packed, err := p.FS().ReadFile(p.Cred, p.Path(archive))
	if err != nil {
		return "", fmt.Errorf("path %q not found", archive)
	}
	files, err := unpack(packed)
	if err != nil {
		return "", err
	}
	values := map[string]any{}
	texts := []string{}
	for name, text := range files {
		if strings.HasSuffix(name, "/values.yaml") {
			texts = append(texts, text)
		}
	}
	for _, file := range valueFiles {
		text, err := p.FS().ReadFile(p.Cred, p.Path(file))
		if err != nil {
			return "", fmt.Errorf("open %s: %s", file, strings.ToLower(guest.Reason(err)))
		}
		texts = append(texts, text)
	}
	for _, text := range texts {
		var own map[string]any
		if err := yaml.Unmarshal([]byte(text), &own); err != nil {
			return "", fmt.Errorf("failed to parse values: %w", err)
		}
		overlay(values, own)
	}
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.Contains(name, "/templates/") {
			continue
		}
		t, err := template.New(name).Parse(files[name])
		if err == nil {
			err = t.Execute(&out, map[string]any{"Values": values, "Release": map[string]any{"Namespace": namespace}})
		}
		if err != nil {
			return "", err
		}
	}
	return out.String(), nil
}

// overlay puts values over those that are there, section by section.
func overlay(under, over map[string]any) {
	for key, value := range over {
		section, ok := value.(map[string]any)
		below, both := under[key].(map[string]any)
		if ok && both {
			overlay(below, section)
			continue
		}
		under[key] = value
	}
}

// unpack reads a .tar.gz.
func unpack(packed string) (map[string]string, error) {
	zr, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		return nil, says("file does not appear to be a gzipped archive; got 'application/octet-stream'")
	}
	files := map[string]string{}
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(tr)
		if err != nil {
			return nil, err
		}
		files[h.Name] = string(text)
	}
}
