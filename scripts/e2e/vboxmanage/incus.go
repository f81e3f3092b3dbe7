//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// incus is the daemon that runs the guests, by its REST API over a unix socket
// (https://linuxcontainers.org/incus/docs/main/rest-api/).
type incus struct{ client *http.Client }

func newIncus() *incus {
	socket := os.Getenv("INCUS_SOCKET")
	if socket == "" {
		socket = "/var/lib/incus/unix.socket"
	}
	return &incus{client: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
	}}}
}

// errMissing is what the daemon does not know.
var errMissing = errors.New("incus: not found")

type reply struct {
	Type      string          `json:"type"`
	Operation string          `json:"operation"`
	Code      int             `json:"error_code"`
	Error     string          `json:"error"`
	Metadata  json.RawMessage `json:"metadata"`
}

func (i *incus) request(ctx context.Context, method, path string, body any) (reply, error) {
	var r reply
	text, err := json.Marshal(body)
	if err != nil {
		return r, err
	}
	q, err := http.NewRequestWithContext(ctx, method, "http://incus"+path, bytes.NewReader(text))
	if err != nil {
		return r, err
	}
	answer, err := i.client.Do(q)
	if err != nil {
		return r, err
	}
	defer func() { _ = answer.Body.Close() }()
	if err := json.NewDecoder(answer.Body).Decode(&r); err != nil {
		return r, fmt.Errorf("incus %s %s: %w", method, path, err)
	}
	if r.Code == http.StatusNotFound {
		return r, fmt.Errorf("%s %s: %w", method, path, errMissing)
	}
	if r.Type == "error" {
		return r, fmt.Errorf("incus %s %s: %s", method, path, r.Error)
	}
	return r, nil
}

// begin starts an operation and gives its path, empty if it is done already.
func (i *incus) begin(ctx context.Context, method, path string, body any) (string, error) {
	r, err := i.request(ctx, method, path, body)
	return r.Operation, err
}

// do carries an operation out and waits for its end.
func (i *incus) do(ctx context.Context, method, path string, body any) error {
	operation, err := i.begin(ctx, method, path, body)
	if err != nil || operation == "" {
		return err
	}
	r, err := i.request(ctx, http.MethodGet, operation+"/wait", nil)
	if err != nil {
		return err
	}
	var end struct {
		Code  int    `json:"status_code"`
		Error string `json:"err"`
	}
	if err := json.Unmarshal(r.Metadata, &end); err != nil {
		return err
	}
	if end.Code >= 400 {
		return fmt.Errorf("incus %s %s: %s", method, path, end.Error)
	}
	return nil
}

// states tells which guests run, by container name.
func (i *incus) states(ctx context.Context) (map[string]string, error) {
	r, err := i.request(ctx, http.MethodGet, "/1.0/instances?recursion=1", nil)
	if err != nil {
		return nil, err
	}
	var all []struct{ Name, Status string }
	if err := json.Unmarshal(r.Metadata, &all); err != nil {
		return nil, err
	}
	states := map[string]string{}
	for _, one := range all {
		states[one.Name] = one.Status
	}
	return states, nil
}

// container is the name of a machine's guest.
func (m *vm) container() string { return "vbox-" + m.ID }

func (m *vm) path(below ...string) string {
	return "/1.0/instances/" + strings.Join(append([]string{url.PathEscape(m.container())}, below...), "/")
}

// create makes the guest of a machine, from the image that every box stands for.
func (i *incus) create(ctx context.Context, m *vm) error {
	image := os.Getenv("PODIUM_VBOX_IMAGE")
	if image == "" {
		return errors.New("the stand-in needs PODIUM_VBOX_IMAGE")
	}
	return i.do(ctx, http.MethodPost, "/1.0/instances", map[string]any{
		"name": m.container(), "type": "container",
		"source": map[string]any{"type": "image", "alias": image},
	})
}

// start gives the guest the machine's cards, ports and memory, and boots it.
func (i *incus) start(ctx context.Context, m *vm) error {
	devices := map[string]map[string]string{}
	for n, card := range m.Settings.NICs {
		if card.Kind == "hostonly" {
			devices[fmt.Sprintf("eth%d", n-1)] = map[string]string{
				"type": "nic", "network": card.Network, "name": fmt.Sprintf("eth%d", n-1), "hwaddr": colons(card.MAC),
			}
		}
	}
	for _, f := range m.Settings.Forwards {
		host := f.HostIP
		if host == "" {
			host = "0.0.0.0"
		}
		devices["port-"+f.Name] = map[string]string{
			"type": "proxy", "listen": fmt.Sprintf("%s:%s:%d", f.Proto, host, f.HostPort), "connect": fmt.Sprintf("%s:127.0.0.1:%d", f.Proto, f.GuestPort),
		}
	}
	now, err := i.request(ctx, http.MethodGet, m.path(), nil)
	if err != nil {
		return err
	}
	var instance struct {
		Config map[string]string `json:"config"`
	}
	if err := json.Unmarshal(now.Metadata, &instance); err != nil {
		return err
	}
	config := instance.Config
	config["limits.memory"] = fmt.Sprintf("%dMiB", m.Settings.Memory)
	if os.Getenv("PODIUM_VBOX_PRIVILEGED") != "" { // what Kubernetes needs of a node
		config["security.privileged"], config["security.nesting"] = "true", "true"
		config["raw.lxc"] = "lxc.apparmor.profile=unconfined\nlxc.cap.drop=\nlxc.mount.auto=proc:rw sys:rw cgroup:rw:force\nlxc.cgroup.devices.allow=a"
		devices["kmsg"] = map[string]string{"type": "unix-char", "source": "/dev/kmsg", "path": "/dev/kmsg"}
	}
	if err := i.do(ctx, http.MethodPut, m.path(), map[string]any{"config": config, "devices": devices, "profiles": []string{"default"}}); err != nil {
		return err
	}
	return i.action(ctx, m, "start")
}

func (i *incus) action(ctx context.Context, m *vm, action string) error {
	return i.do(ctx, http.MethodPut, m.path("state"), map[string]any{"action": action, "timeout": 60, "force": action == "stop"})
}

// press asks the guest to power off and does not wait for it.
func (i *incus) press(ctx context.Context, m *vm) error {
	_, err := i.begin(ctx, http.MethodPut, m.path("state"), map[string]any{"action": "stop", "timeout": 120, "force": false})
	return err
}

func colons(mac string) string {
	var parts []string
	for len(mac) >= 2 {
		parts = append(parts, strings.ToLower(mac[:2]))
		mac = mac[2:]
	}
	return strings.Join(parts, ":")
}
