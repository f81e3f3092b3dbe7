// Package source says where the software of a lab comes from: addresses, signing keys, versions, each with the page it
// was read from and the day. It is a leaf, so that the description can be checked against it.
//
// The guest scripts have the same addresses written out, for whoever reads them; a test compares the two.
package source

import "strings"

// Source is one place that the guest scripts download from.
type Source struct {
	Name        string
	URL         string // what mirrors.MIRROR of lab.yaml replaces
	Mirror      string // key of the description; empty: there is none
	Key         string // path of the signing key below URL; empty: the files are not signed
	Fingerprint string // of the key, where the page gives it
	KeyExpires  string // YYYY-MM-DD, where the page gives it
	From        string // page it was read from
	Checked     string // YYYY-MM-DD: when that was
}

// Sources lists every place that the guest scripts download from beside the distribution's archive.
func Sources() []Source {
	return []Source{
		{
			Name: "Kubernetes", URL: "https://pkgs.k8s.io", Mirror: "kubernetes",
			Key:         "core:/stable:/v1.36/deb/Release.key", // one repository, with a key, per minor version
			Fingerprint: "DE15B14486CD377B9E876E1A234654DA9A296436",
			From:        "https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/install-kubeadm/", Checked: "2026-11-20",
		},
		{
			Name: "Docker and containerd.io", URL: "https://download.docker.com", Mirror: "docker", Key: "linux/ubuntu/gpg",
			Fingerprint: "9DC858229FC7DD38854AE2D88D81803C0EBFCD88",
			From:        "https://docs.docker.com/engine/install/ubuntu/", Checked: "2026-11-20",
		},
		{
			Name: "Jenkins", URL: "https://pkg.jenkins.io", Mirror: "jenkins", Key: "debian-stable/jenkins.io-2026.key",
			Fingerprint: "5E386EADB55F01504CAE8BCF7198F4B714ABFC68", KeyExpires: "2028-12-21",
			From: "https://pkg.jenkins.io/debian-stable/", Checked: "2026-11-20",
		},
		{
			// Java 21 for Jenkins where the distribution has none (Debian 12), as Jenkins' own page says.
			Name: "Adoptium", URL: "https://packages.adoptium.net/artifactory", Mirror: "adoptium", Key: "api/gpg/key/public",
			From: "https://adoptium.net/installation/linux/", Checked: "2026-11-20",
		},
		{
			Name: "Grafana", URL: "https://apt.grafana.com", Mirror: "grafana", Key: "gpg-full.key",
			From: "https://grafana.com/docs/grafana/latest/setup-grafana/installation/debian/", Checked: "2026-11-20",
		},
		{
			Name: "Prometheus, node_exporter, flannel", URL: "https://github.com", Mirror: "github",
			From: "https://prometheus.io/download/", Checked: "2026-11-20",
		},
	}
}

// Kubernetes is one minor version that podium can install.
type Kubernetes struct {
	Minor     string // "1.36"
	EndOfLife string // month, as YYYY-MM
}

// DefaultKubernetes is the minor version of a lab that does not name one.
const DefaultKubernetes = "1.36"

// KubernetesMinors lists the minor versions that podium can install, oldest first.
// From https://kubernetes.io/releases/, read 2026-11.
func KubernetesMinors() []Kubernetes {
	return []Kubernetes{
		{Minor: "1.34", EndOfLife: "2026-10"},
		{Minor: "1.35", EndOfLife: "2027-02"},
		{Minor: "1.36", EndOfLife: "2027-06"},
		{Minor: "1.37", EndOfLife: "2027-10"},
	}
}

// Minor is "1.36" of "1.36" and of "1.36.2".
func Minor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// Versions of what is not taken as the newest of a repository.
const (
	// Flannel is what https://github.com/flannel-io/flannel tags, released 2026-08-07; read 2026-11-20.
	Flannel = "0.28.9"
	// FlannelPlugin is the version of flannel's CNI plugin that Flannel's manifest names.
	FlannelPlugin = "1.9.1-flannel3"
	// Prometheus is the long-term support line (3.13, to 2027-07-31), its patch of 2026-10-21.
	// From https://prometheus.io/docs/introduction/release-cycle/, read 2026-11-20.
	Prometheus = "3.13.5"
	// NodeExporter was released 2026-07-14; https://github.com/prometheus/node_exporter, read 2026-11-20.
	NodeExporter = "1.12.1"
)
