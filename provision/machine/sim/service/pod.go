package service

import (
	"context"
	"errors"
	"strings"

	"podium/provision/machine/sim/cluster"
	"podium/provision/machine/sim/guest"
)

// InPod is what answers in a pod, by the name of its image; nil if the simulator has no model of that.
func InPod(pod cluster.Pod) guest.Handler {
	name, _, _ := strings.Cut(pod.Image[strings.LastIndexByte(pod.Image, '/')+1:], ":")
	switch name {
	case "prometheus":
		return prometheusPod(pod)
	case "alertmanager":
		return alerts()
	case "node-exporter":
		return nodeMetrics(pod.Machine.Kernel())
	case "kube-state-metrics":
		return page("# simulated\n")
	case "grafana":
		return page("{\n  \"database\": \"ok\",\n  \"version\": \"simulated\"\n}\n")
	}
	return nil
}

func page(text string) guest.Handler {
	return guest.HandlerFunc(func(context.Context, guest.Request) guest.Response { return guest.Response{Code: 200, Body: text} })
}

// prometheusPod asks from inside the cluster: services by their names, nodes by their addresses.
func prometheusPod(pod cluster.Pod) guest.Handler {
	text, _ := pod.File("/etc/prometheus/prometheus.yml")
	c, err := parsePrometheus(text, "prometheus.yml")
	if err != nil {
		return nil // as in a pod that crashes
	}
	s := &promServer{machine: pod.Machine, config: c}
	s.token = func(string) (string, error) { return pod.Token, nil }
	s.dial = func(ctx context.Context, host string, port int) (guest.Handler, error) {
		if host == "localhost" {
			return s, nil
		}
		if !strings.HasSuffix(host, ".svc") {
			return pod.Machine.Net.Dial(ctx, pod.Machine, host, port)
		}
		if other, ok := pod.Service(host); ok {
			if h := InPod(other); h != nil {
				return h, nil
			}
		}
		return nil, errors.New("connect: connection refused")
	}
	return s
}
