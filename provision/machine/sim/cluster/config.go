package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"podium/provision/machine/sim/guest"
)

// The kinds of kubeadm.k8s.io/v1beta4, with the fields that podium's labs and most others use
// (https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/).
type (
	initConfig struct {
		APIVersion      string           `yaml:"apiVersion"`
		Kind            string           `yaml:"kind"`
		BootstrapTokens []bootstrapToken `yaml:"bootstrapTokens"`
		DryRun          bool             `yaml:"dryRun"`
		Endpoint        endpoint         `yaml:"localAPIEndpoint"`
		Node            nodeRegistration `yaml:"nodeRegistration"`
		CertificateKey  string           `yaml:"certificateKey"`
		SkipPhases      []string         `yaml:"skipPhases"`
		Patches         object           `yaml:"patches"`
		Timeouts        timeouts         `yaml:"timeouts"`
	}
	joinConfig struct {
		APIVersion   string           `yaml:"apiVersion"`
		Kind         string           `yaml:"kind"`
		DryRun       bool             `yaml:"dryRun"`
		Node         nodeRegistration `yaml:"nodeRegistration"`
		CACertPath   string           `yaml:"caCertPath"`
		Discovery    discovery        `yaml:"discovery"`
		ControlPlane *joinControl     `yaml:"controlPlane"`
		SkipPhases   []string         `yaml:"skipPhases"`
		Patches      object           `yaml:"patches"`
		Timeouts     timeouts         `yaml:"timeouts"`
	}
	clusterConfig struct {
		APIVersion           string `yaml:"apiVersion"`
		Kind                 string `yaml:"kind"`
		ClusterName          string `yaml:"clusterName"`
		KubernetesVersion    string `yaml:"kubernetesVersion"`
		ControlPlaneEndpoint string `yaml:"controlPlaneEndpoint"`
		Networking           struct {
			PodSubnet     string `yaml:"podSubnet"`
			ServiceSubnet string `yaml:"serviceSubnet"`
			DNSDomain     string `yaml:"dnsDomain"`
		} `yaml:"networking"`
		APIServer                   component `yaml:"apiServer"`
		ControllerManager           component `yaml:"controllerManager"`
		Scheduler                   component `yaml:"scheduler"`
		Etcd                        object    `yaml:"etcd"`
		DNS                         object    `yaml:"dns"`
		Proxy                       object    `yaml:"proxy"`
		CertificatesDir             string    `yaml:"certificatesDir"`
		ImageRepository             string    `yaml:"imageRepository"`
		FeatureGates                object    `yaml:"featureGates"`
		EncryptionAlgorithm         string    `yaml:"encryptionAlgorithm"`
		CertificateValidityPeriod   string    `yaml:"certificateValidityPeriod"`
		CACertificateValidityPeriod string    `yaml:"caCertificateValidityPeriod"`
	}
	component struct {
		ExtraArgs []struct {
			Name  string `yaml:"name"`
			Value string `yaml:"value"`
		} `yaml:"extraArgs"`
		ExtraVolumes []object `yaml:"extraVolumes"`
		ExtraEnvs    []object `yaml:"extraEnvs"`
		CertSANs     []string `yaml:"certSANs"` // of apiServer
	}
	bootstrapToken struct {
		Token       string   `yaml:"token"`
		Description string   `yaml:"description"`
		TTL         string   `yaml:"ttl"`
		Groups      []string `yaml:"groups"`
		Usages      []string `yaml:"usages"`
	}
	endpoint struct {
		Address string `yaml:"advertiseAddress"`
		Port    int    `yaml:"bindPort"`
	}
	nodeRegistration struct {
		Name            string    `yaml:"name"`
		CRISocket       string    `yaml:"criSocket"`
		Taints          *[]object `yaml:"taints"`
		ExtraArgs       []object  `yaml:"kubeletExtraArgs"`
		Ignore          []string  `yaml:"ignorePreflightErrors"`
		ImagePullPolicy string    `yaml:"imagePullPolicy"`
		ImagePullSerial *bool     `yaml:"imagePullSerial"`
	}
	discovery struct {
		BootstrapToken    *tokenDiscovery `yaml:"bootstrapToken"`
		File              object          `yaml:"file"`
		TLSBootstrapToken string          `yaml:"tlsBootstrapToken"`
	}
	tokenDiscovery struct {
		Token    string   `yaml:"token"`
		Endpoint string   `yaml:"apiServerEndpoint"`
		Hashes   []string `yaml:"caCertHashes"`
		Unsafe   bool     `yaml:"unsafeSkipCAVerification"`
	}
	joinControl struct {
		Endpoint       endpoint `yaml:"localAPIEndpoint"`
		CertificateKey string   `yaml:"certificateKey"`
	}
	timeouts struct {
		ControlPlane string `yaml:"controlPlaneComponentHealthCheck"`
		Kubelet      string `yaml:"kubeletHealthCheck"`
		API          string `yaml:"kubernetesAPICall"`
		Etcd         string `yaml:"etcdAPICall"`
		TLSBootstrap string `yaml:"tlsBootstrap"`
		Discovery    string `yaml:"discovery"`
		Upgrade      string `yaml:"upgradeManifests"`
	}
)

// kubeadmConfig is a configuration file of kubeadm.
type kubeadmConfig struct {
	init    *initConfig
	join    *joinConfig
	cluster clusterConfig
	kubelet object
	proxy   object
}

// readConfig reads a configuration file: documents of several kinds, no field that kubeadm does not know.
func (a *adminCall) readConfig(file string) (kubeadmConfig, error) {
	var c kubeadmConfig
	if file == "" {
		return c, errors.New("the --config flag is mandatory")
	}
	content, err := a.p.FS().ReadFile(a.p.Cred, a.p.Path(file))
	if err != nil {
		return c, fmt.Errorf("unable to read config from %q: open %s: %s", file, file, strings.ToLower(guest.Reason(err)))
	}
	for _, doc := range strings.Split("\n"+content, "\n---") {
		var head struct {
			APIVersion string `yaml:"apiVersion"`
			Kind       string `yaml:"kind"`
		}
		if err := yaml.Unmarshal([]byte(doc), &head); err != nil {
			return c, fmt.Errorf("error converting YAML to JSON: %w", err)
		}
		if head.Kind == "" && head.APIVersion == "" {
			if strings.TrimSpace(doc) == "" {
				continue
			}
			return c, errors.New("invalid configuration: kind and apiVersion is mandatory information that must be specified")
		}
		if err := c.add(doc, head.APIVersion, head.Kind, a.version); err != nil {
			return c, err
		}
	}
	if c.init == nil && c.join == nil && c.cluster.Kind == "" {
		return c, errors.New("no InitConfiguration, ClusterConfiguration or JoinConfiguration kind was found in the YAML file")
	}
	return c, nil
}

func (c *kubeadmConfig) add(doc, apiVersion, kind, version string) error {
	group, v, _ := strings.Cut(apiVersion, "/")
	strict := func(into any) error {
		d := yaml.NewDecoder(bytes.NewReader([]byte(doc)))
		d.KnownFields(true)
		if err := d.Decode(into); err != nil && !errors.Is(err, io.EOF) {
			why := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "yaml: "), "unmarshal errors:\n  ")
			if _, rest, ok := strings.Cut(why, "field "); ok && strings.Contains(why, "not found in type") {
				name, _, _ := strings.Cut(rest, " ")
				why = fmt.Sprintf("unknown field %q", name)
			}
			return fmt.Errorf("error unmarshaling configuration schema.GroupVersionKind{Group:%q, Version:%q, Kind:%q}: strict decoding error: %s", group, v, kind, why)
		}
		return nil
	}
	switch group {
	case "kubeadm.k8s.io":
		if v != "v1beta4" {
			return fmt.Errorf("your configuration file uses an old API spec: %q (kind: %q). Please use kubeadm of an earlier version instead and run 'kubeadm config migrate --old-config old-config-file --new-config new-config-file', "+
				"which will write the new, similar spec using a newer API version (kubeadm %s reads v1beta4)", apiVersion, kind, version)
		}
	case "kubelet.config.k8s.io":
		c.kubelet = object{}
		return yaml.Unmarshal([]byte(doc), &c.kubelet)
	case "kubeproxy.config.k8s.io":
		c.proxy = object{}
		return yaml.Unmarshal([]byte(doc), &c.proxy)
	}
	switch {
	case group == "kubeadm.k8s.io" && kind == "InitConfiguration":
		c.init = &initConfig{}
		if err := strict(c.init); err != nil {
			return err
		}
		return c.init.Timeouts.check()
	case group == "kubeadm.k8s.io" && kind == "JoinConfiguration":
		c.join = &joinConfig{}
		if err := strict(c.join); err != nil {
			return err
		}
		return c.join.Timeouts.check()
	case group == "kubeadm.k8s.io" && kind == "ClusterConfiguration":
		return strict(&c.cluster)
	}
	return fmt.Errorf("no kind %q is registered for version %q in scheme \"kubeadm\"", kind, apiVersion)
}

func (t timeouts) check() error {
	for _, d := range []string{t.ControlPlane, t.Kubelet, t.API, t.Etcd, t.TLSBootstrap, t.Discovery, t.Upgrade} {
		if d == "" {
			continue
		}
		if _, err := time.ParseDuration(d); err != nil {
			return fmt.Errorf("error unmarshaling JSON: while decoding JSON: %w", err)
		}
	}
	return nil
}

func (t timeouts) kubelet() string {
	if t.Kubelet == "" {
		return "4m0s"
	}
	return t.Kubelet
}
