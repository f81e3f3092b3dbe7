package sim_test

import (
	"strings"
	"testing"
)

// slow is a service that takes a while to start.
const slow = `printf '[Service]\nExecStartPre=/bin/sleep 0.5\nExecStart=/bin/sleep 1000\n' >/etc/systemd/system/slow.service; systemctl daemon-reload; `

// Jobs are systemd's: they go on without the client that asked for them, and two that want the same are one.
func TestJobsOfSystemd(t *testing.T) {
	for _, tt := range []struct{ name, script, want string }{
		{"its client is killed", `systemctl start slow & p=$!; sleep 0.2; kill -9 $p; systemctl is-active slow; sleep 1; systemctl is-active slow; pgrep -c -f '^/bin/sleep 1000$'`, "activating active 1"},
		{"its client is killed and another waits", `systemctl start slow & p=$!; sleep 0.2; kill -9 $p; systemctl start slow && systemctl is-active slow; pgrep -c -f '^/bin/sleep 1000$'`, "active 1"},
		{"two clients", `systemctl start slow & systemctl start slow; echo $?; wait $!; echo $?; systemctl is-active slow; pgrep -c -f '^/bin/sleep 1000$'`, "0 0 active 1"},
		{"a restart is killed", `systemctl start slow; systemctl restart slow & p=$!; sleep 0.2; kill -9 $p; sleep 1; systemctl is-active slow; pgrep -c -f '^/bin/sleep 1000$'`, "active 1"},
		{"stopped as it starts", `systemctl start slow & sleep 0.2; systemctl stop slow; wait $! 2>/dev/null; echo $?; systemctl is-active slow; pgrep -c -f '^/bin/sleep 1000$'`, "1 inactive 0"},
		{"restarted as it starts", `systemctl start slow & sleep 0.2; systemctl restart slow; echo $?; wait $!; systemctl is-active slow; pgrep -c -f '^/bin/sleep 1000$'`, "0 active 1"},
		{"started as it stops", `sed -i 's/ExecStart=/ExecStop=-\/bin\/sleep 0.5\nExecStart=/' /etc/systemd/system/slow.service; systemctl daemon-reload; systemctl start slow; ` +
			`systemctl stop slow & sleep 0.2; systemctl start slow; echo $?; wait $!; systemctl is-active slow; pgrep -c -f '^/bin/sleep 1000$'`, "0 active 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, errs, _ := run(t, newBench(t, "", "w1").up("w1"), slow+tt.script)
			if got := strings.Join(strings.Fields(out), " "); got != tt.want {
				t.Errorf("got %q, want %q\n%s", got, tt.want, errs)
			}
		})
	}
}
