package cluster

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// kustomization is the part of kustomization.yaml that the model has; another key is an error.
// From https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/.
type kustomization struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Namespace  string   `yaml:"namespace"`
	Resources  []string `yaml:"resources"`
	Labels     []struct {
		Pairs map[string]string `yaml:"pairs"`
	} `yaml:"labels"`
	ConfigMapGenerator []struct {
		Name  string   `yaml:"name"`
		Files []string `yaml:"files"`
	} `yaml:"configMapGenerator"`
	Images []struct {
		Name    string `yaml:"name"`
		NewName string `yaml:"newName"`
		NewTag  string `yaml:"newTag"`
	} `yaml:"images"`
	Patches []struct {
		Path string `yaml:"path"`
	} `yaml:"patches"`
}

// kustomize builds the objects of a folder. Generated ConfigMaps keep their plain names: nothing in the simulator
// restarts for a hash.
func (c *ctl) kustomize(dir string) ([]object, error) {
	file := path.Join(dir, "kustomization.yaml")
	content, err := c.readText(file)
	if err != nil {
		return nil, fmt.Errorf("error: unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '%s'", dir)
	}
	var k kustomization
	d := yaml.NewDecoder(strings.NewReader(content))
	d.KnownFields(true)
	if err := d.Decode(&k); err != nil {
		return nil, fmt.Errorf("error: %s: not in the simulator's model of kustomize: %w", file, err)
	}
	objects, err := c.kustomized(dir, k)
	if err != nil {
		return nil, err
	}
	for _, p := range k.Patches {
		if err := c.patchAll(objects, path.Join(dir, p.Path)); err != nil {
			return nil, err
		}
	}
	for _, o := range objects {
		k.transform(o)
	}
	return objects, nil
}

// kustomized gathers what a kustomization names and generates.
func (c *ctl) kustomized(dir string, k kustomization) ([]object, error) {
	var objects []object
	for _, name := range k.Resources {
		at := path.Join(dir, name)
		var more []object
		var err error
		if info, statErr := c.p.FS().Stat(c.p.Cred, c.p.Path(at)); statErr == nil && info.IsDir() {
			more, err = c.kustomize(at)
		} else {
			more, err = c.documents([]string{at})
		}
		if err != nil {
			return nil, err
		}
		objects = append(objects, more...)
	}
	for _, g := range k.ConfigMapGenerator {
		data := object{}
		for _, file := range g.Files {
			content, err := c.readText(path.Join(dir, file))
			if err != nil {
				return nil, err
			}
			data[path.Base(file)] = content
		}
		objects = append(objects, object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": g.Name}, "data": data})
	}
	return objects, nil
}

// patchAll merges each object of a file into the one of the same kind and name.
func (c *ctl) patchAll(objects []object, file string) error {
	patches, err := c.documents([]string{file})
	if err != nil {
		return err
	}
	for _, p := range patches {
		i := slices.IndexFunc(objects, func(o object) bool {
			return text(o, "kind") == text(p, "kind") && text(o, "metadata", "name") == text(p, "metadata", "name")
		})
		if i < 0 {
			return fmt.Errorf("error: no matches for Id %s.%s; failed to find unique target for patch", text(p, "kind"), text(p, "metadata", "name"))
		}
		objects[i], _ = merge(objects[i], p).(object)
	}
	return nil
}

// transform sets namespace, labels and images of an object.
func (k kustomization) transform(o object) {
	meta := child(o, "metadata")
	if r := kindOf(o); r.namespaced && k.Namespace != "" {
		meta["namespace"] = k.Namespace
	}
	for _, l := range k.Labels {
		for name, value := range l.Pairs {
			child(meta, "labels")[name] = value
		}
	}
	for _, container := range items(o, "spec", "template", "spec", "containers") {
		spec, ok := container.(object)
		if !ok {
			continue
		}
		for _, image := range k.Images {
			if name, _, _ := strings.Cut(text(spec, "image"), ":"); name == image.Name {
				spec["image"] = image.NewName + ":" + image.NewTag
			}
		}
	}
}

// wanted is the objects that -f or -k names.
func (c *ctl) wanted() ([]object, error) {
	switch {
	case c.o.Has("k") && c.o.Has("f"):
		return nil, errors.New("error: cannot specify -f and -k together")
	case c.o.Has("k"):
		return c.kustomize(c.o.Values("k")[0])
	case c.o.Has("f"):
		return c.documents(c.o.Values("f"))
	}
	return nil, errors.New("error: must specify one of -f and -k")
}
