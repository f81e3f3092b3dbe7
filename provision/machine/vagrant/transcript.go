package vagrant

import (
	"bytes"
	"regexp"
	"strings"
)

// uiLine is one line of `vagrant --machine-readable`: time,target,kind,data...
// (https://developer.hashicorp.com/vagrant/docs/cli/machine-readable).
type uiLine struct {
	target string
	kind   string
	data   []string
}

// parseLine reads a line. Vagrant writes commas inside data as %!(VAGRANT_COMMA) and line ends as \n.
func parseLine(line string) (uiLine, bool) {
	fields := strings.Split(strings.TrimRight(line, "\r\n"), ",")
	if len(fields) < 3 {
		return uiLine{}, false
	}
	u := uiLine{target: fields[1], kind: fields[2], data: fields[3:]}
	for i, d := range u.data {
		u.data[i] = strings.NewReplacer("%!(VAGRANT_COMMA)", ",", `\n`, "\n", `\r`, "").Replace(d)
	}
	return u, true
}

// text is what Vagrant says to people, empty for other lines.
func (u uiLine) text() string {
	if u.kind != "ui" || len(u.data) < 2 {
		return ""
	}
	return strings.TrimSpace(before.ReplaceAllString(u.data[1], ""))
}

// before is what Vagrant puts at the front of a line: "==> w1: " or "    w1: ".
var before = regexp.MustCompile(`(?m)^(==>|   ) [^\s:]+: ?`)

// booting reports whether the machine is made and all that it shares with others exists: what follows is its own boot.
func (u uiLine) booting() bool {
	text := u.text()
	return strings.HasPrefix(text, "Booting VM") || strings.HasPrefix(text, "Starting domain") || strings.HasPrefix(text, "Waiting for domain")
}

// started reports whether VirtualBox has started the machine: Vagrant waits for what runs inside.
func (u uiLine) started() bool { return strings.HasPrefix(u.text(), "Waiting for machine to boot") }

// quiet are lines that tell a person nothing.
var quiet = regexp.MustCompile(`^(SSH (address|username|auth method)|Adapter \d|\d+ \(guest\)|Bringing machine|Preparing network|Setting the name|` +
	`Clearing any previously|Matching MAC|This is a one time|Machine not provisioned|Vagrant insecure key|Removing insecure|Key inserted|` +
	`Warning: |You have requested|Features:|Please use with caution)`)

// progress is one line for people; empty for what they need not see.
func (u uiLine) progress() string {
	if u.kind == "ui" && len(u.data) > 0 && u.data[0] == "error" { // comes again, as the boot's failure
		return ""
	}
	text, _, _ := strings.Cut(u.text(), "\n")
	if quiet.MatchString(text) {
		return ""
	}
	return strings.TrimSpace(text)
}

// transcript takes Vagrant's output line by line, and keeps what its errors say.
type transcript struct {
	each    func(uiLine)
	rest    []byte
	class   string
	message string
	last    tail // lines that say something
}

func newTranscript(each func(uiLine)) *transcript { return &transcript{each: each} }

// reset forgets an attempt.
func (t *transcript) reset() { *t = transcript{each: t.each} }

// maxLine bounds a line without end.
const maxLine = 1 << 20

// Write takes output as it comes.
func (t *transcript) Write(b []byte) (int, error) {
	t.rest = append(t.rest, b...)
	for {
		i := bytes.IndexByte(t.rest, '\n')
		if i < 0 {
			if len(t.rest) > maxLine {
				t.rest = t.rest[:0]
			}
			return len(b), nil
		}
		t.line(Text(t.rest[:i]))
		t.rest = t.rest[i+1:]
	}
}

func (t *transcript) line(text string) {
	u, ok := parseLine(text)
	if !ok {
		_, _ = t.last.Write([]byte(text + "\n"))
		return
	}
	if u.kind == "error-exit" && len(u.data) >= 2 {
		t.class, t.message = u.data[0], strings.TrimSpace(u.data[1])
	}
	if said := u.text(); said != "" {
		_, _ = t.last.Write([]byte(said + "\n"))
	}
	t.each(u)
}

// String is what Vagrant said last.
func (t *transcript) String() string { return t.last.String() }

// explain fills in what Vagrant has said of its failure.
func (t *transcript) explain(e *CommandError, stderr string) {
	e.Class = t.class
	switch {
	case t.message != "":
		e.Message = t.message
		// Vagrant quotes the whole call of VBoxManage before it says what VBoxManage said.
		if _, said, ok := strings.Cut(t.message, "\nStderr: "); ok && strings.TrimSpace(said) != "" {
			e.Message = strings.TrimSpace(said)
		}
	case strings.TrimSpace(stderr) != "":
		e.Message = strings.TrimSpace(stderr)
	default:
		e.Message = strings.TrimSpace(t.last.String())
	}
	if e.Err == nil {
		e.explain()
	}
}

// tail keeps the last 16 KiB of what is written to it.
type tail struct{ text []byte }

const maxTail = 16 << 10

// Write keeps the end of b.
func (t *tail) Write(b []byte) (int, error) {
	t.text = append(t.text, b...)
	if over := len(t.text) - maxTail; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(b), nil
}

// String is what was kept.
func (t *tail) String() string { return string(t.text) }
