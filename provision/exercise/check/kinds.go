package check

func kindSources() []string {
	return []string{machineSource, kernelSource, commandSource, networkSource, dnsSource, dockerSource, kubeSource, serverSource, matchSource}
}
