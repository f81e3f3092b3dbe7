package kube

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"

	"podium/provision/machine/sim/vfs"
)

// nodeRegistration is the part of a configuration that speaks of this node.
type nodeRegistration struct {
	Name      string   `yaml:"name"`
	CRISocket string   `yaml:"criSocket"`
	Taints    *[]taint `yaml:"taints"`
	Ignore    []string `yaml:"ignorePreflightErrors"`
	Args      any      `yaml:"kubeletExtraArgs"`
	Pull      string   `yaml:"imagePullPolicy"`
	Serial    *bool    `yaml:"imagePullSerial"`
}

type taint struct {
	Key    string `yaml:"key"`
	Value  string `yaml:"value"`
	Effect string `yaml:"effect"`
}

type apiEndpoint struct {
	Address string `yaml:"advertiseAddress"`
	Port    int    `yaml:"bindPort"`
}

// The documents of kubeadm's configuration, version v1beta4, with every field that
// https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/ names; those that change nothing here are any.
type initConfiguration struct {
	APIVersion string           `yaml:"apiVersion"`
	Kind       string           `yaml:"kind"`
	Endpoint   apiEndpoint      `yaml:"localAPIEndpoint"`
	Node       nodeRegistration `yaml:"nodeRegistration"`
	Tokens     any              `yaml:"bootstrapTokens"`
	DryRun     any              `yaml:"dryRun"`
	CertKey    string           `yaml:"certificateKey"`
	Skip       []string         `yaml:"skipPhases"`
	Patches    any              `yaml:"patches"`
	Timeouts   any              `yaml:"timeouts"`
}

type clusterConfiguration struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Name       string `yaml:"clusterName"`
	Version    string `yaml:"kubernetesVersion"`
	Endpoint   string `yaml:"controlPlaneEndpoint"`
	Networking struct {
		Pods     string `yaml:"podSubnet"`
		Services string `yaml:"serviceSubnet"`
		Domain   string `yaml:"dnsDomain"`
	} `yaml:"networking"`
	Etcd        any `yaml:"etcd"`
	APIServer   any `yaml:"apiServer"`
	Controllers struct {
		Args    []argument `yaml:"extraArgs"`
		Envs    any        `yaml:"extraEnvs"`
		Volumes any        `yaml:"extraVolumes"`
	} `yaml:"controllerManager"`
	Scheduler any    `yaml:"scheduler"`
	DNS       any    `yaml:"dns"`
	Proxy     any    `yaml:"proxy"`
	CertDir   string `yaml:"certificatesDir"`
	Images    string `yaml:"imageRepository"`
	Gates     any    `yaml:"featureGates"`
	CAValid   any    `yaml:"caCertificateValidityPeriod"`
	Valid     any    `yaml:"certificateValidityPeriod"`
	Algorithm any    `yaml:"encryptionAlgorithm"`
}

type argument struct {
	Name  string `yaml:"name"`
	Value string `yaml:"value"`
}

type joinConfiguration struct {
	APIVersion string           `yaml:"apiVersion"`
	Kind       string           `yaml:"kind"`
	Node       nodeRegistration `yaml:"nodeRegistration"`
	CACert     string           `yaml:"caCertPath"`
	Discovery  struct {
		Token struct {
			Endpoint string   `yaml:"apiServerEndpoint"`
			Token    string   `yaml:"token"`
			Hashes   []string `yaml:"caCertHashes"`
			Unsafe   bool     `yaml:"unsafeSkipCAVerification"`
		} `yaml:"bootstrapToken"`
		File    any    `yaml:"file"`
		TLS     string `yaml:"tlsBootstrapToken"`
		Timeout any    `yaml:"timeout"`
	} `yaml:"discovery"`
	ControlPlane *struct {
		Endpoint apiEndpoint `yaml:"localAPIEndpoint"`
		CertKey  string      `yaml:"certificateKey"`
	} `yaml:"controlPlane"`
	DryRun   any      `yaml:"dryRun"`
	Skip     []string `yaml:"skipPhases"`
	Patches  any      `yaml:"patches"`
	Timeouts any      `yaml:"timeouts"`
}

// configuration is a kubeadm file, document by document.
type configuration struct {
	init    initConfiguration
	cluster clusterConfiguration
	join    *joinConfiguration
	kubelet string // its document, as it is
}

// readConfig reads the file of --config. A field that kubeadm does not know is a warning there; here it is an error,
// because it is a mistake.
func (a *admin) readConfig() (*configuration, error) {
	c := &configuration{}
	file := a.o.Value("config")
	if file == "" {
		return c, a.fromFlags(c)
	}
	text, err := a.m.FS.ReadFile(vfs.Root(), a.p.Path(file))
	if err != nil {
		return nil, fmt.Errorf("unable to read config from \"%s\": open %s: no such file or directory", file, file)
	}
	d := yaml.NewDecoder(strings.NewReader(text))
	for {
		var doc yaml.Node
		if err := d.Decode(&doc); errors.Is(err, io.EOF) {
			return c, nil
		} else if err != nil {
			return nil, fmt.Errorf("error unmarshaling configuration: %w", err)
		}
		var head struct {
			APIVersion string `yaml:"apiVersion"`
			Kind       string `yaml:"kind"`
		}
		if err := doc.Decode(&head); err != nil {
			return nil, fmt.Errorf("error unmarshaling configuration: %w", err)
		}
		if err := c.take(&doc, head.APIVersion, head.Kind); err != nil {
			return nil, err
		}
	}
}

func (c *configuration) take(doc *yaml.Node, version, kind string) error {
	text, err := yaml.Marshal(doc)
	if err != nil {
		return err
	}
	var into any
	switch kind {
	case "InitConfiguration":
		into = &c.init
	case "ClusterConfiguration":
		into = &c.cluster
	case "JoinConfiguration":
		c.join = &joinConfiguration{}
		into = c.join
	case "KubeletConfiguration":
		c.kubelet = string(text)
		return nil
	case "KubeProxyConfiguration":
		return nil
	default:
		return fmt.Errorf("unknown kind %q in the configuration", kind)
	}
	if version != "kubeadm.k8s.io/v1beta4" {
		return fmt.Errorf("your configuration file uses an old or unknown API spec: %q (kind: %q)", version, kind)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("error unmarshaling configuration schema.GroupVersionKind{Group:\"kubeadm.k8s.io\", Version:\"v1beta4\", Kind:%q}: strict decoding error: %w", kind, err)
	}
	return nil
}

// fromFlags fills the configuration from the command line.
func (a *admin) fromFlags(c *configuration) error {
	o := a.o
	c.init.Endpoint.Address = o.Value("apiserver-advertise-address")
	c.cluster.Networking.Pods, c.cluster.Networking.Services = o.Value("pod-network-cidr"), o.Value("service-cidr")
	c.cluster.Endpoint, c.cluster.Version = o.Value("control-plane-endpoint"), o.Value("kubernetes-version")
	c.init.Node.Name, c.init.CertKey = o.Value("node-name"), o.Value("certificate-key")
	if a.args[0] != "join" {
		return nil
	}
	j := &joinConfiguration{}
	if len(a.args) > 1 {
		j.Discovery.Token.Endpoint = a.args[1]
	}
	j.Discovery.Token.Token, j.Discovery.Token.Hashes = o.Value("token"), o.Values("discovery-token-ca-cert-hash")
	j.Discovery.Token.Unsafe = o.Has("discovery-token-unsafe-skip-ca-verification")
	j.Node.Name = o.Value("node-name")
	if o.Has("control-plane") {
		j.ControlPlane = &struct {
			Endpoint apiEndpoint `yaml:"localAPIEndpoint"`
			CertKey  string      `yaml:"certificateKey"`
		}{apiEndpoint{Address: o.Value("apiserver-advertise-address")}, o.Value("certificate-key")}
	}
	c.join = j
	return nil
}
