package scripts_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// documents reads YAML documents by their kind.
func documents(t *testing.T, text string) map[string]map[string]any {
	t.Helper()
	kinds := map[string]map[string]any{}
	for _, document := range strings.Split(text, "\n---\n") {
		var fields map[string]any
		if err := yaml.Unmarshal([]byte(document), &fields); err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		kind, _ := fields["kind"].(string)
		if kinds[kind] != nil {
			t.Errorf("there are two documents of kind %q:\n%s", kind, text)
		}
		kinds[kind] = fields
	}
	return kinds
}

// rendered is the path of a file as podium renders it for a node.
func rendered(name string) string { return filepath.Join("..", "templates", "testdata", name) }

func TestKubeadmConfig(t *testing.T) {
	for name, container := range map[string]bool{"a machine": false, "a system container": true} {
		t.Run(name, func(t *testing.T) {
			answer := map[bool]string{true: "true", false: "false"}[container]
			out, stderr, err := runGuest(t, t.TempDir(), "in_container() { "+answer+"; }\n"+
				"kubeadm() { echo v1.36.2; }\n"+
				"kubeadm_config "+rendered("kubeadm-init.yaml"), "step.sh", "kubeadm.sh")
			if err != nil {
				t.Fatal(err, stderr)
			}
			kinds := documents(t, out)
			if cluster := kinds["ClusterConfiguration"]; cluster["kubernetesVersion"] != "v1.36.2" || cluster["controlPlaneEndpoint"] != "kube-api:6443" {
				t.Errorf("ClusterConfiguration is %v", cluster)
			}
			if init := kinds["InitConfiguration"]; init["nodeRegistration"] == nil {
				t.Errorf("InitConfiguration is %v", init)
			}
			kubelet := kinds["KubeletConfiguration"]
			if kubelet["cgroupDriver"] != "systemd" {
				t.Errorf("KubeletConfiguration is %v", kubelet)
			}
			if _, has := kubelet["failSwapOn"]; has != container {
				t.Errorf("KubeletConfiguration is %v", kubelet)
			}
			if _, has := kinds["KubeProxyConfiguration"]; has != container {
				t.Errorf("kinds are %v", kinds)
			}
		})
	}
}

// body is a step's script without its libraries, to run with functions in place of programs, up to a line.
func body(t *testing.T, name, upTo string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("guest", name))
	if err != nil {
		t.Fatal(err)
	}
	head, _, ok := strings.Cut(string(text), upTo)
	if !ok {
		t.Fatalf("%s has no line %q", name, upTo)
	}
	var kept strings.Builder
	for line := range strings.Lines(head) {
		if !strings.HasPrefix(line, `. "$(dirname`) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

func TestJoinConfig(t *testing.T) {
	for role, file := range map[string]string{"worker": "kubeadm-join.yaml", "control-plane": "kubeadm-join-control-plane.yaml"} {
		t.Run(role, func(t *testing.T) {
			script := strings.ReplaceAll(body(t, "kubeadm-join.sh", "if [[ ! -e $member"), "/var/lib/podium/files/kubeadm-join.yaml", rendered(file))
			out, stderr, err := runGuest(t, t.TempDir(), "PODIUM_JOIN_ROLE="+role+" PODIUM_ADDRESS=192.168.56.11 PODIUM_API_ENDPOINT=kube-api:8443\n"+
				"PODIUM_JOIN_TOKEN=abcdef.0123456789abcdef PODIUM_JOIN_CA_HASH=sha256:00 PODIUM_JOIN_CERTIFICATE_KEY=ff00\n"+
				script+"join_config", "step.sh", "kubeadm.sh")
			if err != nil {
				t.Fatal(err, stderr)
			}
			got := documents(t, out)["JoinConfiguration"]
			want := map[string]any{"bootstrapToken": map[string]any{
				"apiServerEndpoint": "kube-api:8443", "token": "abcdef.0123456789abcdef", "caCertHashes": []any{"sha256:00"},
			}}
			if diff := cmp.Diff(want, got["discovery"]); diff != "" {
				t.Errorf("discovery (-want +got):\n%s", diff)
			}
			plane := any(nil)
			if role == "control-plane" {
				plane = map[string]any{"certificateKey": "ff00", "localAPIEndpoint": map[string]any{"advertiseAddress": "192.168.56.11", "bindPort": 6443}}
			}
			if diff := cmp.Diff(plane, got["controlPlane"]); diff != "" {
				t.Errorf("controlPlane (-want +got):\n%s", diff)
			}
		})
	}
}

func TestKeepalivedConfig(t *testing.T) {
	golden, err := os.ReadFile(filepath.Join("testdata", "keepalived.conf"))
	if err != nil {
		t.Fatal(err)
	}
	want := string(golden)
	from, to := strings.Index(want, "    unicast_peer {"), strings.Index(want, "    virtual_ipaddress")
	for name, test := range map[string]struct{ peers, want string }{
		"others": {"cp1 192.168.56.10\ncp3 192.168.56.12", want},
		"alone":  {"", want[:from] + "\n" + want[to:]},
	} {
		t.Run(name, func(t *testing.T) {
			keep := t.TempDir()
			script := strings.ReplaceAll(body(t, "keepalived.sh", "write_config 0755"), "/etc/keepalived/keepalived.conf", keep+"/keepalived.conf")
			_, stderr, err := runGuest(t, keep, "PODIUM_NODE=cp2 PODIUM_ADDRESS=192.168.56.11 PODIUM_VIRTUAL_ADDRESS=192.168.56.9 PODIUM_VRRP_ROUTER=9\n"+
				"PODIUM_VRRP_PRIORITY=145 PODIUM_VRRP_PEERS='"+test.peers+"'\n"+
				"ip() { echo '3: eth1    inet 192.168.56.11/24 brd 192.168.56.255 scope global eth1'; }\n"+script, "step.sh")
			if err != nil {
				t.Fatal(err, stderr)
			}
			got, err := os.ReadFile(filepath.Join(keep, "keepalived.conf"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Errorf("keepalived.conf (-want +got):\n%s", diff)
			}
		})
	}
}
