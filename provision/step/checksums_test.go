package step

import (
	"strings"
	"testing"

	"podium/provision/lab"
)

func TestDownloading(t *testing.T) {
	c := Context{Lab: lab.Lab{Provider: lab.ProviderVirtualBox}}
	known := Vars{}.downloading(c, "ingress-nginx", "1.15.1").downloading(c, "gateway-api", "1.5.1")["PODIUM_CHECKSUMS"]
	for _, path := range []string{
		"kubernetes/ingress-nginx/raw/controller-v1.15.1/deploy/static/provider/cloud/deploy.yaml",
		"kubernetes-sigs/gateway-api/releases/download/v1.5.1/standard-install.yaml",
	} {
		if !strings.Contains("\n"+known+"\n", " "+path+"\n") {
			t.Errorf("no checksum of %s in\n%s", path, known)
		}
	}
	own := strings.Repeat("ab", 32)
	c.Lab.Mirrors.Checksums = map[string]string{"kubernetes-sigs/gateway-api/releases/download/v1.5.1/standard-install.yaml": own}
	if got := (Vars{}).downloading(c, "gateway-api", "1.5.1")["PODIUM_CHECKSUMS"]; !strings.HasPrefix(got, own+" ") || strings.Contains(got, "\n") {
		t.Errorf("a mirror's own checksum does not count: %q", got)
	}
	c.Lab.Provider = lab.ProviderSim
	if got, ok := (Vars{}).downloading(c, "gateway-api", "1.5.1")["PODIUM_CHECKSUMS"]; ok {
		t.Errorf("the simulator's internet has stand-ins, which have other checksums: %q", got)
	}
}
