package sim

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestExampleHasEveryField keeps the example that the documentation points to complete.
func TestExampleHasEveryField(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "sim.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseScenario(text)
	if err != nil {
		t.Fatal(err)
	}
	if s.Defaults.Boot != (Range{10 * time.Second, 20 * time.Second}) || s.Nodes["w1"].Slow != 3 || s.Defaults.Fail[0].Message == "" {
		t.Errorf("read %+v", s)
	}
	for _, field := range yamlFields(reflect.TypeFor[Scenario]()) {
		if !strings.Contains(string(text), field+":") {
			t.Errorf("testdata/sim.yaml does not show %s", field)
		}
	}
}

func yamlFields(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if options != "inline" {
			names = append(names, name)
		}
		inner := f.Type
		if k := inner.Kind(); k == reflect.Slice || k == reflect.Map {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner != reflect.TypeFor[Range]() && (options == "inline" || inner != reflect.TypeFor[Behaviour]()) {
			names = append(names, yamlFields(inner)...)
		}
	}
	return names
}

func TestParseScenarioRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"bot: 2s", "field bot is not known"},
		{"boot: soon", `"soon" is no duration`},
		{"boot: 3s..1s", `"3s..1s" is no duration`},
		{"boot: -1s", `"-1s" is no duration`},
		{"disk: 20GB", `disk: "20GB"`},
		{"network: slow", `network: "slow": write none`},
		{"slow: -2", "slow: -2: write a number above 0"},
		{"clock: yesterday", `clock: "yesterday": write a duration`},
		{"fail: [{times: 2}]", "fail[0].command: missing"},
		{"nodes: {w1: {host: gone}}", `nodes.w1.host: "gone": write unreachable or down`},
		{"nodes: [w1]", "line 1"},
	} {
		_, err := ParseScenario([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want it to say %s", c.text, err, c.want)
		}
	}
}

func FuzzParseScenario(f *testing.F) {
	text, err := os.ReadFile(filepath.Join("testdata", "sim.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("nodes: {w1: {boot: 1s..2s}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseScenario(text)
		if err == nil && (s.Defaults.Boot.Min < 0 || s.Defaults.Boot.Max < s.Defaults.Boot.Min) {
			t.Errorf("a boot that takes %v", s.Defaults.Boot)
		}
	})
}
