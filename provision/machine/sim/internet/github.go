package internet

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
)

var (
	pluginTool     = regexp.MustCompile(`^jenkinsci/plugin-installation-manager-tool/releases/download/([0-9.]+)/jenkins-plugin-manager-([0-9.]+)\.jar(\.sha256)?$`)
	prometheusFile = regexp.MustCompile(`^prometheus/([a-z_]+)/releases/download/v([0-9][0-9A-Za-z.+-]*)/(.+)$`)
	etcdFile       = regexp.MustCompile(`^etcd-io/etcd/releases/download/v([0-9][0-9A-Za-z.+-]*)/(.+)$`)
	flannelFile    = regexp.MustCompile(`^flannel-io/flannel/releases/download/v([0-9][0-9A-Za-z.+-]*)/kube-flannel\.yml$`)
	criDockerdFile = regexp.MustCompile(`^Mirantis/cri-dockerd/releases/download/v([0-9][0-9A-Za-z.+-]*)/cri-dockerd-([0-9A-Za-z.+-]+)\.(?:amd64|arm64)\.tgz$`)
)

// release answers for files of releases on GitHub.
func release(path string) guest.Response {
	if m := pluginTool.FindStringSubmatch(path); m != nil && m[1] == m[2] {
		jar := "simulated jenkins-plugin-manager " + m[1] + "\n"
		if m[3] == "" {
			return text(jar)
		}
		sum := sha256.Sum256([]byte(jar))
		return text(hex.EncodeToString(sum[:]))
	}
	if m := prometheusFile.FindStringSubmatch(path); m != nil {
		return prometheusRelease(m[1], m[2], m[3])
	}
	if m := etcdFile.FindStringSubmatch(path); m != nil {
		return etcdRelease(m[1], m[2])
	}
	if m := flannelFile.FindStringSubmatch(path); m != nil {
		return text(flannelManifest(m[1]))
	}
	if r, ok := network(path); ok {
		return r
	}
	if m := criDockerdFile.FindStringSubmatch(path); m != nil && m[1] == m[2] {
		return text(archive("cri-dockerd/", m[1], []string{"cri-dockerd"}))
	}
	if answer, ok := addon(path); ok {
		return answer
	}
	return notFound
}

// programsOf are the programs in a release of the Prometheus project.
func programsOf(project string) []string {
	switch project {
	case "prometheus":
		return []string{"prometheus", "promtool"}
	case "node_exporter":
		return []string{"node_exporter"}
	case "alertmanager":
		return []string{"alertmanager", "amtool"}
	case "blackbox_exporter":
		return []string{"blackbox_exporter"}
	}
	return nil
}

func prometheusRelease(project, version, file string) guest.Response {
	programs := programsOf(project)
	if programs == nil {
		return notFound
	}
	if file == "sha256sums.txt" {
		var b strings.Builder
		for _, arch := range []string{"amd64", "arm64"} {
			sum := sha256.Sum256([]byte(tarball(project, version, arch, programs)))
			fmt.Fprintf(&b, "%s  %s-%s.linux-%s.tar.gz\n", hex.EncodeToString(sum[:]), project, version, arch)
		}
		return text(b.String())
	}
	for _, arch := range []string{"amd64", "arm64"} {
		if file == fmt.Sprintf("%s-%s.linux-%s.tar.gz", project, version, arch) {
			return text(tarball(project, version, arch, programs))
		}
	}
	return notFound
}

// etcdRelease answers for etcd's archives and their checksums.
func etcdRelease(version, file string) guest.Response {
	made := func(arch string) (name, content string) {
		name = fmt.Sprintf("etcd-v%s-linux-%s", version, arch)
		return name + ".tar.gz", archive(name+"/", version, []string{"etcd", "etcdctl", "etcdutl"})
	}
	var sums strings.Builder
	for _, arch := range []string{"amd64", "arm64"} {
		name, content := made(arch)
		if file == name {
			return text(content)
		}
		sum := sha256.Sum256([]byte(content))
		fmt.Fprintf(&sums, "%s  %s\n", hex.EncodeToString(sum[:]), name)
	}
	if file == "SHA256SUMS" {
		return text(sums.String())
	}
	return notFound
}

// tarball makes the archive of a release of the Prometheus project.
func tarball(project, version, arch string, programs []string) string {
	return archive(fmt.Sprintf("%s-%s.linux-%s/", project, version, arch), version, programs)
}

// archive makes a .tar.gz of programs in a folder: always the same bytes.
func archive(dir, version string, programs []string) string {
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	tw := tar.NewWriter(zw)
	stamp := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	put := func(name, content string, mode int64) {
		tw.WriteHeader(&tar.Header{Name: dir + name, Mode: mode, Size: int64(len(content)), ModTime: stamp, Typeflag: tar.TypeReg}) //nolint:errcheck // a buffer takes all
		tw.Write([]byte(content))                                                                                                   //nolint:errcheck
	}
	tw.WriteHeader(&tar.Header{Name: dir, Mode: 0o755, ModTime: stamp, Typeflag: tar.TypeDir}) //nolint:errcheck
	put("LICENSE", "simulated\n", 0o644)
	for _, p := range programs {
		put(p, guest.Executable(p, version), 0o755)
	}
	if slices.Contains(programs, "prometheus") {
		put("prometheus.yml", "global:\n  scrape_interval: 15s\n", 0o644)
	}
	tw.Close() //nolint:errcheck
	zw.Close() //nolint:errcheck
	return buf.String()
}

// flannelManifest is a manifest of the shape that flannel publishes, with what labs change in it.
func flannelManifest(version string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Namespace
metadata:
  labels:
    k8s-app: flannel
    pod-security.kubernetes.io/enforce: privileged
  name: kube-flannel
---
apiVersion: v1
kind: ServiceAccount
metadata:
  labels:
    k8s-app: flannel
  name: flannel
  namespace: kube-flannel
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  labels:
    k8s-app: flannel
  name: flannel
rules:
- apiGroups:
  - ""
  resources:
  - pods
  verbs:
  - get
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  labels:
    k8s-app: flannel
  name: flannel
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: flannel
subjects:
- kind: ServiceAccount
  name: flannel
  namespace: kube-flannel
---
apiVersion: v1
data:
  cni-conf.json: |
    {
      "name": "cbr0",
      "cniVersion": "0.3.1",
      "plugins": [
        {
          "type": "flannel",
          "delegate": {
            "hairpinMode": true,
            "isDefaultGateway": true
          }
        },
        {
          "type": "portmap",
          "capabilities": {
            "portMappings": true
          }
        }
      ]
    }
  net-conf.json: |
    {
      "Network": "10.244.0.0/16",
      "EnableNFTables": false,
      "Backend": {
        "Type": "vxlan"
      }
    }
kind: ConfigMap
metadata:
  labels:
    app: flannel
    k8s-app: flannel
    tier: node
  name: kube-flannel-cfg
  namespace: kube-flannel
---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  labels:
    app: flannel
    k8s-app: flannel
    tier: node
  name: kube-flannel-ds
  namespace: kube-flannel
spec:
  selector:
    matchLabels:
      app: flannel
      k8s-app: flannel
  template:
    metadata:
      labels:
        app: flannel
        k8s-app: flannel
        tier: node
    spec:
      containers:
      - args:
        - --ip-masq
        - --kube-subnet-mgr
        command:
        - /opt/bin/flanneld
        image: ghcr.io/flannel-io/flannel:v%[1]s
        name: kube-flannel
      hostNetwork: true
      initContainers:
      - image: ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel3
        name: install-cni-plugin
      priorityClassName: system-node-critical
      serviceAccountName: flannel
      tolerations:
      - effect: NoSchedule
        operator: Exists
`, version)
}
