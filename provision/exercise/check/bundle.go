package check

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"podium/provision/remote"
)

//go:embed bundle.sh
var bundleScript string

// Question is one probe with its time limit.
type Question struct {
	Probe string
	Limit time.Duration
}

// atOnce is how many probes of a node run side by side.
const atOnce = 4

// Bundle is one script that asks all questions on a node, for bash -s as root. env are variables of the probes.
func Bundle(questions []Question, env map[string]string) string {
	var b strings.Builder
	b.WriteString(bundleScript)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		fmt.Fprintf(&b, "export %s=%s\n", name, remote.Quote(env[name]))
	}
	for i := range len(questions) + atOnce {
		if i < len(questions) {
			fmt.Fprintf(&b, "ask %d %d %s\n", i, int(math.Ceil(questions[i].Limit.Seconds())), remote.Quote(questions[i].Probe))
		}
		if last := i - atOnce; last >= 0 {
			fmt.Fprintf(&b, "answer %d\n", last)
		}
	}
	return b.String()
}

// Duration is how long a bundle can take at most.
func Duration(questions []Question) time.Duration {
	longest := time.Duration(0)
	for _, q := range questions {
		longest = max(longest, q.Limit+2*time.Second)
	}
	return longest*time.Duration((len(questions)+atOnce-1)/atOnce) + 5*time.Second
}

// Answers reads what a bundle of n questions printed; questions without a whole answer are not among them.
func Answers(out []byte, n int) map[int]Facts {
	answers := map[int]Facts{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 2*MaxOut)
	for lines.Scan() {
		parts := strings.Split(lines.Text(), ":")
		if len(parts) != 4 {
			continue
		}
		i, err1 := strconv.Atoi(parts[0])
		text, err2 := base64.StdEncoding.DecodeString(parts[1])
		code, err3 := strconv.Atoi(parts[2])
		errors, err4 := base64.StdEncoding.DecodeString(parts[3])
		_, twice := answers[i]
		if err1 != nil || err2 != nil || err3 != nil || err4 != nil || twice || i < 0 || i >= n || code < 0 || code > 255 || len(text) > MaxOut {
			continue
		}
		answers[i] = Facts{Code: code, Out: text, Err: strings.ToValidUTF8(string(errors), "\uFFFD")}
	}
	return answers
}
