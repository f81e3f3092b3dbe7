package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"podium/provision/catalogue"
	"podium/provision/version"
)

var updating = flag.Bool("update", false, "write the tables of scripts/README.md")

const root = "../.."

func record(t *testing.T) []Entry {
	t.Helper()
	r, err := readRecord(root)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRecordTables(t *testing.T) {
	if *updating {
		if err := writeTables(root, record(t)); err != nil {
			t.Fatal(err)
		}
	}
	_, written, _, err := split(read(t, tableFile))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tables(record(t)), written); diff != "" {
		t.Errorf("%s is not what the record says (-record +written): run go test ./scripts/record -update\n%s", tableFile, diff)
	}
}

// The record is kept as the program writes it, so that copying runs in changes nothing else.
func TestRecordIsSorted(t *testing.T) {
	if diff := cmp.Diff(string(marshal(merge(record(t), nil))), read(t, recordFile)); diff != "" {
		t.Errorf("%s was changed by hand (-want +got): let go run ./scripts/record write it\n%s", recordFile, diff)
	}
}

// Documents name versions that ran for real only where the record has them.
func TestRecordHasWhatDocumentsClaim(t *testing.T) {
	r := record(t)
	seen := 0
	for _, file := range []string{"README.md", "labs/README.md", "scripts/README.md", "scripts/bench/README.md"} {
		text := read(t, file)
		if file == tableFile {
			before, _, after, err := split(text)
			if err != nil {
				t.Fatal(err)
			}
			text = before + after
		}
		for _, c := range claims(text) {
			seen++
			if !c.holds(r) {
				t.Errorf("%s says that %s %s ran for real, which the record does not have: run its part of scripts/e2e, then go run ./scripts/record; or take it out:\n%.200s",
					file, c.component, c.version, c.text)
			}
		}
	}
	if seen == 0 {
		t.Error("no document claims anything: does the test still find claims?")
	}
}

// What the catalogue calls tested on real nodes has run in one part together.
func TestRecordHasWhatTheCatalogueClaims(t *testing.T) {
	r := record(t)
	for _, set := range catalogue.All().Sets {
		for _, tested := range set.Tested {
			if tested.How != "real nodes" {
				continue
			}
			for _, component := range tested.With {
				if !ranTogether(r, set.Kubernetes, component) {
					t.Errorf("the catalogue says that Kubernetes %s and %s ran on real nodes, and the record has no part with both", set.Kubernetes, component)
				}
			}
		}
	}
}

// ranTogether: some part has run a minor of Kubernetes and the component, both for real.
func ranTogether(r []Entry, minor, component string) bool {
	has := func(part, component, minor string) bool {
		return slices.ContainsFunc(r, func(e Entry) bool {
			return e.How == Real && e.Part == part && e.Component == component && (minor == "" || version.Minor(e.Version) == minor)
		})
	}
	return slices.ContainsFunc(r, func(e Entry) bool { return has(e.Part, "kubernetes", minor) && has(e.Part, component, "") })
}

// Users get the default minor: it has run for real. Of the others it is told.
func TestDefaultKubernetesRan(t *testing.T) {
	said := minors(record(t))
	if minor := catalogue.DefaultKubernetes(); strings.Contains(said, minor+" has not run") {
		t.Errorf("Kubernetes %s has not run for real: scripts/e2e/run.sh kubernetes, then go run ./scripts/record", minor)
	}
	t.Log(said)
}

// claim is a version that a document says has run for real.
type claim struct{ component, version, text string }

func (c claim) holds(r []Entry) bool {
	return slices.ContainsFunc(r, func(e Entry) bool {
		return e.How == Real && e.Component == c.component && (e.Version == c.version || strings.HasPrefix(e.Version, c.version+"."))
	})
}

var (
	isReal     = regexp.MustCompile(`(?i)\breal\b`)
	paragraphs = regexp.MustCompile(`\n\s*\n|\n(?:[|]|- )`)
	named      = regexp.MustCompile(`(?i)\b(kubernetes|kubeadm|containerd|cri-o|docker|cri-dockerd|etcd|coredns|flannel|calico|cilium|metallb|metrics-server|traefik|helm|prometheus|jenkins|grafana|vagrant|virtualbox|vboxmanage)(?:'s)? v?(\d+\.\d+(?:\.\d+)?)`)
	unproven   = regexp.MustCompile(`(?i)^\W*(not verified|known)\b`)
)

// claims are those of a text: versions named in a paragraph, a row or an item which speaks of something real.
func claims(text string) []claim {
	var list []claim
	for _, p := range paragraphs.Split(text, -1) {
		if !isReal.MatchString(p) || unproven.MatchString(p) {
			continue
		}
		for _, m := range named.FindAllStringSubmatch(p, -1) {
			name := strings.ToLower(m[1])
			switch name {
			case "kubeadm":
				name = "kubernetes"
			case "vboxmanage":
				name = "virtualbox"
			}
			list = append(list, claim{name, m[2], p})
		}
	}
	return list
}

func TestClaims(t *testing.T) {
	text := "Real clusters of Kubernetes 1.36.3 run.\n\nThe simulator has Docker 29.1.\n\n| real | kubeadm 1.34 and\n| none | etcd 3.6\n\n**Not verified**: real Windows, Docker 29.0\n"
	var got []string
	for _, c := range claims(text) {
		got = append(got, c.component+" "+c.version)
	}
	if diff := cmp.Diff([]string{"kubernetes 1.36.3", "kubernetes 1.34"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestUpdate(t *testing.T) {
	dir := t.TempDir()
	write := func(file, text string) {
		t.Helper()
		file = filepath.Join(dir, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	entry := func(version, date, seconds string) string {
		return `{"component":"etcd","version":"` + version + `","how":"real","host":"a box","part":"run.sh ha","date":"` + date + `","seconds":` + seconds + "}"
	}
	write(recordFile, "["+entry("3.6.8", "2026-11-20", "10")+"]")
	write(tableFile, "before\n"+tablesBegin+"old\n"+tablesEnd+"after\n")
	write("runs", entry("3.6.8", "2026-11-29", "20")+"\n"+entry("3.10.0", "2026-11-29", "20")+"\n"+entry("3.6.8", "2026-11-28", "30")+"\n")
	if err := update(dir, []string{filepath.Join(dir, "runs")}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, tableFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"before\n", "after\n", "| etcd | 3.6.8 | real | a box | run.sh ha | 2026-11-29 |\n| etcd | 3.10.0 |",
		"| `scripts/e2e/run.sh ha` | 20 | a box | 2026-11-29 |\n", catalogue.DefaultKubernetes() + " has not run for real", "kubernetes",
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("the tables lack %q:\n%s", want, got)
		}
	}
	write("runs", `{"component":"etcd","version":"3.6.8","how":"perhaps","host":"a box","part":"run.sh ha","date":"2026-11-29","seconds":1}`)
	if err := update(dir, []string{filepath.Join(dir, "runs")}); err == nil || !strings.Contains(err.Error(), "real or stand-in") {
		t.Errorf("how: perhaps gives %v", err)
	}
}
