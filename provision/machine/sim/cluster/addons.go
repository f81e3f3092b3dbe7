package cluster

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"time"

	"go.yaml.in/yaml/v3"

	"podium/provision/machine/sim/vfs"
)

// create puts a new object of a namespace into the store; the lock must be held.
func (a *adminCall) create(s *store, kind, plural, apiVersion, namespace, name string, more object) error {
	o := newObject(kind, apiVersion, name, namespace, a.now())
	for k, v := range more {
		o[k] = v
	}
	return s.put(key{plural, namespace, name}, o)
}

// uploadConfig writes what kubeadm keeps in the cluster.
func (in *installation) uploadConfig(s *store) error {
	in.say("[upload-config] Storing the configuration used in ConfigMap \"kubeadm-config\" in the \"kube-system\" Namespace")
	for _, ns := range []string{"default", kubeSystem, kubePublic, "kube-node-lease"} {
		if err := in.create(s, "Namespace", "namespaces", "v1", "", ns, object{"status": object{"phase": "Active"}}); err != nil {
			return err
		}
	}
	kubelet, err := in.p.FS().ReadFile(vfs.Root(), kubeletConf)
	if err != nil {
		return err
	}
	info := kubeconfigText("", "https://"+in.endpoint, "", in.ca, object{})
	return errors.Join(
		in.uploadClusterConfig(s),
		in.create(s, "ConfigMap", "configmaps", "v1", kubeSystem, "kube-proxy", object{"data": object{"kubeconfig.conf": info}}),
		in.create(s, "ConfigMap", "configmaps", "v1", kubeSystem, "kubelet-config", object{"data": object{"kubelet": kubelet}}),
		in.create(s, "ConfigMap", "configmaps", "v1", kubePublic, "cluster-info", object{"data": object{"kubeconfig": info}}),
		in.create(s, "Service", "services", "v1", "default", "kubernetes", object{"spec": object{
			"clusterIP": "10.96.0.1", "type": "ClusterIP", "ports": []any{object{"name": "https", "port": 443, "protocol": "TCP", "targetPort": apiPort}}}}),
	)
}

// uploadClusterConfig writes the configuration that further nodes read; the lock must be held.
func (in *installation) uploadClusterConfig(s *store) error {
	cluster, err := yaml.Marshal(in.conf.cluster)
	if err != nil {
		return err
	}
	return in.create(s, "ConfigMap", "configmaps", "v1", kubeSystem, "kubeadm-config", object{"data": object{
		"ClusterConfiguration": string(cluster), "version": in.version, "endpoint": in.endpoint}})
}

// markControlPlane gives the node its label and taint, and its static pods their places in the API.
func (in *installation) markControlPlane(s *store) error {
	const role = "node-role.kubernetes.io/control-plane"
	id := key{"nodes", "", in.name}
	old := s.get(id)
	if old == nil {
		return fmt.Errorf("nodes %q not found", in.name)
	}
	n := clone(old)
	labels := child(child(n, "metadata"), "labels")
	labels[role], labels["node.kubernetes.io/exclude-from-external-load-balancers"] = "", ""
	taints := []any{object{"key": role, "effect": "NoSchedule"}}
	if in.node.Taints != nil {
		taints = nil
		for _, t := range *in.node.Taints {
			taints = append(taints, t)
		}
	}
	delete(child(n, "spec"), "taints")
	if len(taints) > 0 {
		child(n, "spec")["taints"] = taints
	}
	in.say("[mark-control-plane] Marking the node %s as control-plane by adding the labels: [%s node.kubernetes.io/exclude-from-external-load-balancers]", in.name, role)
	if err := s.put(id, n); err != nil {
		return err
	}
	list := kubeImages(in.conf.cluster.ImageRepository, in.version)
	images := map[string]string{"kube-apiserver": list[0], "kube-controller-manager": list[1], "kube-scheduler": list[2], "etcd": list[len(list)-1]}
	if _, external := in.conf.cluster.external(); external {
		delete(images, "etcd")
	}
	for name, image := range images {
		p := newObject("Pod", "v1", name+"-"+in.name, kubeSystem, in.now())
		meta := child(p, "metadata")
		meta["labels"] = object{"component": name, "tier": "control-plane"}
		meta["annotations"] = object{"kubernetes.io/config.source": "file"}
		p["spec"] = object{"nodeName": in.name, "hostNetwork": true, "containers": []any{object{"name": name, "image": image}},
			"tolerations": []any{object{"operator": "Exists"}}}
		if err := s.put(podKey(p), p); err != nil {
			return err
		}
	}
	return nil
}

// addons starts CoreDNS and kube-proxy.
func (in *installation) addons(s *store) error {
	list := kubeImages(in.conf.cluster.ImageRepository, in.version)
	template := func(app, image string, spec object) object {
		spec["containers"] = []any{object{"name": app, "image": image}}
		return object{"metadata": object{"labels": object{"k8s-app": app}}, "spec": spec}
	}
	// The label of CoreDNS is kube-dns, for the sake of those who look for it.
	dns := template("coredns", list[4], object{
		"nodeSelector": object{"kubernetes.io/os": "linux"}, "priorityClassName": "system-cluster-critical",
		"tolerations": []any{object{"key": "CriticalAddonsOnly", "operator": "Exists"}, object{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}}})
	child(child(dns, "metadata"), "labels")["k8s-app"] = "kube-dns"
	proxy := template("kube-proxy", list[3], object{
		"nodeSelector": object{"kubernetes.io/os": "linux"}, "hostNetwork": true, "tolerations": []any{object{"operator": "Exists"}}})
	selector := func(app string) object { return object{"matchLabels": object{"k8s-app": app}} }
	if err := errors.Join(
		in.create(s, "Deployment", "deployments", "apps/v1", kubeSystem, "coredns", object{"spec": object{"replicas": 2, "selector": selector("kube-dns"), "template": dns}}),
		in.create(s, "Service", "services", "v1", kubeSystem, "kube-dns", object{"spec": object{"clusterIP": "10.96.0.10", "type": "ClusterIP",
			"selector": object{"k8s-app": "kube-dns"}, "ports": []any{object{"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53}, object{"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53}, object{"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153}}}}),
		in.create(s, "DaemonSet", "daemonsets", "apps/v1", kubeSystem, "kube-proxy", object{"spec": object{"selector": selector("kube-proxy"), "template": proxy}}),
	); err != nil {
		return err
	}
	in.say("[addons] Applied essential addon: CoreDNS\n[addons] Applied essential addon: kube-proxy")
	return s.daemonPods(in.name, in.now())
}

var tokenForm = regexp.MustCompile(`^([a-z0-9]{6})\.([a-z0-9]{16})$`)

// createToken puts a bootstrap token into the cluster; ttl 0 means without end.
func (a *adminCall) createToken(s *store, token string, ttl time.Duration, description string) (string, error) {
	if token == "" {
		token = random(3) + "." + random(8)
	}
	m := tokenForm.FindStringSubmatch(token)
	if m == nil {
		return "", fmt.Errorf("the bootstrap token %q was not of the form %q", token, `\A([a-z0-9]{6})\.([a-z0-9]{16})\z`)
	}
	id := key{"secrets", kubeSystem, tokenSecret + m[1]}
	if s.get(id) != nil {
		return "", fmt.Errorf("a token with id %q already exists", m[1])
	}
	data := object{"token-id": m[1], "token-secret": m[2], "usage-bootstrap-authentication": "true", "usage-bootstrap-signing": "true",
		"auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token"}
	if ttl > 0 {
		data["expiration"] = a.now().Add(ttl).UTC().Format(tokenExpires)
	}
	if description != "" {
		data["description"] = description
	}
	return token, a.create(s, "Secret", "secrets", "v1", kubeSystem, id.name, object{"type": "bootstrap.kubernetes.io/token", "stringData": data})
}

const (
	certSecret = "kubeadm-certs"
	certTTL    = 2 * time.Hour
)

// sharedFiles are what further control planes get from the first.
func (c clusterConfig) sharedFiles() map[string]string {
	files := map[string]string{}
	for _, name := range []string{"ca.crt", "ca.key", "sa.key", "sa.pub", "front-proxy-ca.crt", "front-proxy-ca.key"} {
		files[name] = pkiDir + "/" + name
	}
	if e, external := c.external(); external {
		maps.Copy(files, e.files())
	} else {
		files["etcd/ca.crt"], files["etcd/ca.key"] = pkiDir+"/etcd/ca.crt", pkiDir+"/etcd/ca.key"
	}
	return files
}

// uploadCerts puts the cluster's certificates into it, encrypted with a key, which is made if it is empty.
func (a *adminCall) uploadCerts(s *store, certificateKey string) (string, error) {
	if certificateKey == "" {
		certificateKey = random(32)
	}
	seal, err := sealer(certificateKey)
	if err != nil {
		return "", err
	}
	data := object{"expiration": a.now().Add(certTTL).UTC().Format(tokenExpires)}
	var conf clusterConfig
	if err := yaml.Unmarshal([]byte(text(s.get(key{"configmaps", kubeSystem, "kubeadm-config"}), "data", "ClusterConfiguration")), &conf); err != nil {
		return "", fmt.Errorf("error uploading certs: %w", err)
	}
	for name, file := range conf.sharedFiles() {
		content, err := a.p.FS().ReadFile(vfs.Root(), file)
		if err != nil {
			return "", fmt.Errorf("error uploading certs: %w", err)
		}
		nonce := make([]byte, seal.NonceSize())
		rand.Read(nonce) //nolint:errcheck // never fails
		data[name] = base64.StdEncoding.EncodeToString(seal.Seal(nonce, nonce, []byte(content), nil))
	}
	a.p.Printf("[upload-certs] Storing the certificates in Secret %q in the %q Namespace\n[upload-certs] Using certificate key:\n%s\n", certSecret, kubeSystem, certificateKey)
	return certificateKey, a.create(s, "Secret", "secrets", "v1", kubeSystem, certSecret, object{"type": "Opaque", "stringData": data})
}

func sealer(certificateKey string) (cipher.AEAD, error) {
	raw, err := hex.DecodeString(certificateKey)
	if err != nil || len(raw) != 32 {
		return nil, fmt.Errorf("error decoding certificate key: it is not 64 hexadecimal digits")
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// downloadCerts writes what uploadCerts has put into the cluster.
func (in *installation) downloadCerts(api *apiServer, certificateKey string) error {
	api.store.mu.Lock()
	secret := api.store.get(key{"secrets", kubeSystem, certSecret})
	api.store.mu.Unlock()
	if secret == nil || api.expired(secret) {
		return fmt.Errorf("error downloading certs: error downloading the secret: Secret %q was not found in the %q Namespace. This Secret might have expired. Please, run `kubeadm init phase upload-certs --upload-certs` on a control plane to generate a new one", certSecret, kubeSystem)
	}
	seal, err := sealer(certificateKey)
	if err != nil {
		return fmt.Errorf("error downloading certs: %w", err)
	}
	for name, file := range in.conf.cluster.sharedFiles() {
		raw, err := base64.StdEncoding.DecodeString(text(secret, "stringData", name))
		if err != nil || len(raw) < seal.NonceSize() {
			return fmt.Errorf("error downloading certs: the Secret does not include the required certificate or key - name: %s", name)
		}
		content, err := seal.Open(nil, raw[:seal.NonceSize()], raw[seal.NonceSize():], nil)
		if err != nil {
			return fmt.Errorf("error downloading certs: error decoding secret data with provided key: %w", err)
		}
		if err := in.write(file, string(content), name[len(name)-3:] == "key"); err != nil {
			return err
		}
	}
	return nil
}
