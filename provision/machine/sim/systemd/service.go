package systemd

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// service runs the commands of a service until it counts as started.
func (m *Manager) service(ctx context.Context, d *definition, epoch int) error {
	env, err := m.environment(d)
	if err != nil {
		m.Log(d.name, "systemd", fmt.Sprintf("%s: Failed to load environment files: No such file or directory", d.name))
		return fmt.Errorf("of unavailable resources or another system error")
	}
	cred, home, err := m.credentials(d)
	if err != nil {
		m.Log(d.name, "systemd", fmt.Sprintf("%s: Failed to determine user credentials: No such process", d.name))
		return fmt.Errorf("the control process exited with error code")
	}
	m.directories(d, cred)
	r := runner{m: m, d: d, env: env, cred: cred, home: home, epoch: epoch}
	for _, line := range d.values("Service", "ExecStartPre") {
		if !r.once(ctx, line) {
			return fmt.Errorf("the control process exited with error code")
		}
	}
	lines := d.values("Service", "ExecStart")
	if d.value("Service", "Type") == "oneshot" {
		for _, line := range lines {
			if !r.once(ctx, line) {
				return fmt.Errorf("the control process exited with error code")
			}
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if d.bool("Service", "RemainAfterExit") {
			m.put(d, "active", "exited")
		} else {
			m.put(d, "inactive", "dead")
		}
		return nil
	}
	if len(lines) == 0 {
		m.Log(d.name, "systemd", d.name+": Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.")
		return fmt.Errorf("it has a bad unit file setting")
	}
	if err := r.daemon(ctx, lines[len(lines)-1]); err != nil {
		return err
	}
	for _, line := range d.values("Service", "ExecStartPost") {
		if !r.once(ctx, line) {
			return fmt.Errorf("the control process exited with error code")
		}
	}
	return nil
}

func (m *Manager) environment(d *definition) ([]string, error) {
	vars := map[string]string{"PATH": guest.DefaultPath, "LANG": "C.UTF-8"}
	for _, line := range d.values("Service", "Environment") {
		for k, v := range assignments(line) {
			vars[k] = v
		}
	}
	for _, file := range d.values("Service", "EnvironmentFile") {
		file, optional := strings.CutPrefix(file, "-")
		text, err := m.machine().FS.ReadFile(vfs.Root(), file)
		if err != nil {
			if optional {
				continue
			}
			return nil, err
		}
		for k, v := range environmentFile(text) {
			vars[k] = v
		}
	}
	env := make([]string, 0, len(vars))
	for k, v := range vars {
		env = append(env, k+"="+v)
	}
	slices.Sort(env)
	return env, nil
}

func (m *Manager) credentials(d *definition) (vfs.Cred, string, error) {
	user := d.value("Service", "User")
	if user == "" || user == "root" {
		if d.bool("Service", "DynamicUser") {
			return vfs.Cred{UID: 61184, GID: 61184, Umask: 0o022}, "/", nil
		}
		return vfs.Root(), "/root", nil
	}
	u, ok := m.machine().FindUser(user)
	if !ok {
		return vfs.Cred{}, "", fmt.Errorf("no account %q", user)
	}
	return m.machine().CredOf(u), u.Home, nil
}

// directories makes what StateDirectory and the like ask for.
func (m *Manager) directories(d *definition, c vfs.Cred) {
	for key, base := range map[string]string{"StateDirectory": "/var/lib/", "RuntimeDirectory": "/run/", "CacheDirectory": "/var/cache/", "LogsDirectory": "/var/log/", "ConfigurationDirectory": "/etc/"} {
		for _, name := range d.words("Service", key) {
			m.machine().FS.MkdirAll(vfs.Root(), base+name, 0o755)                     //nolint:errcheck // the service finds out
			m.machine().FS.Chown(vfs.Root(), base+name, int(c.UID), int(c.GID), true) //nolint:errcheck
		}
	}
}

// failed records the end of a service that failed, and has it restarted if its unit says so.
func (m *Manager) failed(d *definition, epoch int, result string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.units[d.name]
	if u == nil || u.epoch != epoch || u.stopping {
		return
	}
	u.result, u.main = result, nil
	restart := d.value("Service", "Restart")
	if restart != "always" && restart != "on-failure" && restart != "on-abnormal" || u.restarts >= startLimit && restartDelay(d) < time.Second {
		u.active, u.sub = "failed", "failed"
		m.log(d.name, "systemd", fmt.Sprintf("%s: Failed with result '%s'.", d.name, result))
		return
	}
	u.active, u.sub = "activating", "auto-restart"
	u.restarts++
	m.log(d.name, "systemd", fmt.Sprintf("%s: Scheduled restart job, restart counter is at %d.", d.name, u.restarts))
	time.AfterFunc(restartDelay(d), func() { m.again(d.name, epoch) })
}

const startLimit = 5 // of quick restarts, as StartLimitBurst

func restartDelay(d *definition) time.Duration {
	delay := 100 * time.Millisecond
	if v := d.value("Service", "RestartSec"); v != "" {
		if n, err := strconv.ParseFloat(v, 64); err == nil {
			delay = time.Duration(n * float64(time.Second))
		} else if p, err := time.ParseDuration(v); err == nil {
			delay = p
		}
	}
	return delay
}

func (m *Manager) again(name string, epoch int) {
	m.mu.Lock()
	u := m.units[name]
	wanted := u != nil && u.epoch == epoch && !u.stopping && u.sub == "auto-restart"
	m.mu.Unlock()
	if !wanted || m.k.Context().Err() != nil {
		return
	}
	if d := load(m.machine(), name); d != nil && !d.masked {
		m.launch(m.k.Context(), d) //nolint:errcheck // recorded in the unit
	}
}
