// Package source says where the software of a lab comes from: addresses, signing keys, versions, each with the page it
// was read from and the day. It is a leaf, so that the description can be checked against it.
package source

// Kubernetes is one minor version that podium can install.
type Kubernetes struct {
	Minor     string // "1.36"
	EndOfLife string // month, as YYYY-MM
}

// Kubernetes versions: https://kubernetes.io/releases/, read 2026-11. One apt repository per minor.
var kubernetes = [...]Kubernetes{
	{Minor: "1.34", EndOfLife: "2026-10"},
	{Minor: "1.35", EndOfLife: "2027-02"},
	{Minor: "1.36", EndOfLife: "2027-06"},
	{Minor: "1.37", EndOfLife: "2027-10"},
}

// DefaultKubernetes is the minor version of a lab that does not name one.
const DefaultKubernetes = "1.36"

// KubernetesMinors lists the minor versions that podium can install, oldest first.
func KubernetesMinors() []Kubernetes {
	return append([]Kubernetes(nil), kubernetes[:]...)
}
