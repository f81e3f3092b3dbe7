//go:build !windows

package remotetest

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"podium/provision/remote"
)

// sshdPath is where Debian's and Ubuntu's openssh-server has it, and macOS its own.
const sshdPath = "/usr/sbin/sshd"

// SSHDOptions for OpenSSH. The zero value is sshd with its defaults, for the user who runs the test.
type SSHDOptions struct {
	MaxSessions  int      // 0: sshd's default, 10
	HostKeyTypes []string // ed25519, ecdsa, rsa; none: ed25519
	Config       []string // further lines of sshd_config; the first mention of a keyword counts, so these win
}

// SSHD is a real OpenSSH server on a loopback port, run by and for the user who runs the test. It ends with the test,
// and what it started too.
type SSHD struct {
	o       SSHDOptions
	t       testing.TB
	dir     string
	port    int
	user    string
	keyFile string

	mu      sync.Mutex
	process *exec.Cmd
	log     bytes.Buffer
}

// OpenSSH starts an sshd with a configuration, host key and client key of its own. The test is skipped where sshd is
// not installed.
func OpenSSH(t testing.TB, o SSHDOptions) *SSHD {
	t.Helper()
	if _, err := os.Stat(sshdPath); err != nil {
		t.Skip("skipped: needs sshd: apt-get install openssh-server")
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if me.Uid == "0" { // sshd's privilege separation wants it; packages make it at boot
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if len(o.HostKeyTypes) == 0 {
		o.HostKeyTypes = []string{"ed25519"}
	}
	s := &SSHD{o: o, t: t, dir: t.TempDir(), port: freePort(t), user: me.Username}
	signer, file := newKeyFile(t)
	s.keyFile = file
	s.write("authorized_keys", ssh.MarshalAuthorizedKey(signer.PublicKey()))
	s.SwapHostKey()
	t.Cleanup(s.Kill)
	s.Start()
	return s
}

// Endpoint is how to reach the server as a node.
func (s *SSHD) Endpoint(node string) remote.Endpoint {
	return remote.Endpoint{Node: node, Host: "127.0.0.1", Port: s.port, User: s.user, KeyFile: s.keyFile}
}

// KeyFile is the private key that may log in.
func (s *SSHD) KeyFile() string { return s.keyFile }

// Log is what sshd has logged so far.
func (s *SSHD) Log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// SwapHostKey makes new host keys, which count from the next Start.
func (s *SSHD) SwapHostKey() {
	for _, kind := range s.o.HostKeyTypes {
		private, err := newKey(kind)
		if err != nil {
			s.t.Fatal(err)
		}
		block, err := ssh.MarshalPrivateKey(private, "remotetest")
		if err != nil {
			s.t.Fatal(err)
		}
		s.write("host_"+kind, pem.EncodeToMemory(block))
	}
}

// HostKeys are the public host keys, as authorized_keys lines.
func (s *SSHD) HostKeys() []string {
	var lines []string
	for _, kind := range s.o.HostKeyTypes {
		line, err := remote.PublicKey(filepath.Join(s.dir, "host_"+kind))
		if err != nil {
			s.t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

func newKey(kind string) (crypto.Signer, error) {
	switch kind {
	case "ed25519":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	case "ecdsa":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "rsa":
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	return nil, fmt.Errorf("no host keys of type %q", kind)
}

// Start starts the server, at first and after Kill, and waits until it answers.
func (s *SSHD) Start() {
	s.t.Helper()
	s.configure()
	cmd := exec.Command(sshdPath, "-D", "-e", "-f", filepath.Join(s.dir, "sshd_config"))
	cmd.Stderr = (*sshdLog)(s)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	s.process = cmd
	s.mu.Unlock()
	deadline := time.Now().Add(15 * time.Second)
	for !answers(s.port) {
		if time.Now().After(deadline) {
			s.t.Fatalf("sshd does not answer:\n%s", s.Log())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// configure writes sshd_config. sshd of OpenSSH 9.8 and later punishes an address for refused logins; older ones do not
// know the keyword that turns it off.
func (s *SSHD) configure() {
	lines := append([]string{}, s.o.Config...)
	if s.o.MaxSessions > 0 {
		lines = append(lines, fmt.Sprintf("MaxSessions %d", s.o.MaxSessions))
	}
	lines = append(lines,
		fmt.Sprintf("ListenAddress 127.0.0.1:%d", s.port),
		"AuthorizedKeysFile "+filepath.Join(s.dir, "authorized_keys"),
		"PidFile none",
		"StrictModes no", // the test's folder stands below a world-writable one
		"PasswordAuthentication no",
		"KbdInteractiveAuthentication no",
		"PermitRootLogin prohibit-password",
		"UsePAM no",
		"MaxStartups 200",
		"LogLevel VERBOSE",
		"Subsystem sftp internal-sftp",
		"SetEnv SHLVL=2", // or bash reads ~/.bashrc of the test's user, because sshd started it
	)
	for _, kind := range s.o.HostKeyTypes {
		lines = append(lines, "HostKey "+filepath.Join(s.dir, "host_"+kind))
	}
	s.write("sshd_config", []byte(strings.Join(append(lines, "PerSourcePenalties no"), "\n")+"\n"))
	if out, err := exec.Command(sshdPath, "-t", "-f", filepath.Join(s.dir, "sshd_config")).CombinedOutput(); err != nil {
		if !strings.Contains(string(out), "PerSourcePenalties") {
			s.t.Fatalf("sshd_config: %v\n%s", err, out)
		}
		s.write("sshd_config", []byte(strings.Join(lines, "\n")+"\n"))
	}
}

func (s *SSHD) write(name string, data []byte) {
	if err := os.WriteFile(filepath.Join(s.dir, name), data, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// Kill ends the server and all it started, at once. Ending it twice is harmless.
func (s *SSHD) Kill() {
	s.mu.Lock()
	cmd := s.process
	s.process = nil
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	for _, pid := range descendants(cmd.Process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// KillServer ends the processes of sshd only: commands that it ran go on, as when a node's network is cut.
func (s *SSHD) KillServer() { s.signal(syscall.SIGKILL) }

// Freeze stops the processes of sshd without ending them: connections stay open and silent.
func (s *SSHD) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw lets them go on.
func (s *SSHD) Thaw() { s.signal(syscall.SIGCONT) }

func (s *SSHD) signal(signal syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, pid := range append([]int{s.process.Process.Pid}, descendants(s.process.Process.Pid)...) {
		if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err == nil && strings.HasPrefix(string(name), "sshd") {
			_ = syscall.Kill(pid, signal)
		}
	}
}

// descendants lists the processes below a process; none where there is no /proc.
func descendants(of int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:])) // state, parent, ... (proc(5))
		if len(fields) > 1 {
			parent, _ := strconv.Atoi(fields[1])
			children[parent] = append(children[parent], pid)
		}
	}
	found := children[of]
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i]]...)
	}
	return found
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// answers tells whether an SSH server greets at the port.
func answers(port int) bool {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	line, _ := bufio.NewReader(conn).ReadString('\n')
	return strings.HasPrefix(line, "SSH-")
}

// sshdLog collects what sshd says.
type sshdLog SSHD

func (l *sshdLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.Write(p)
}
