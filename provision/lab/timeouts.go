package lab

import (
	"cmp"
	"regexp"
	"time"
)

// DefaultBootTimeout is how long a machine may take where lab.yaml does not say. A loaded laptop needs minutes.
const DefaultBootTimeout = 10 * time.Minute

// maxTimeout is the longest time that lab.yaml can ask for.
const maxTimeout = 24 * time.Hour

// timeout is the form of a time that something may take.
var timeout = regexp.MustCompile(`^([0-9.]+(ns|us|ms|s|m|h))+$`)

// BootLimit is how long a machine may take from its start until its SSH answers.
func (l Lab) BootLimit() time.Duration {
	return cmp.Or(parsedTimeout(l.BootTimeout), DefaultBootTimeout)
}

// SSHLimit is how long a node that runs may take to answer; 0: as long as the one who asks usually waits.
func (l Lab) SSHLimit() time.Duration { return parsedTimeout(l.SSHTimeout) }

// parsedTimeout is 0 for a text that is empty or wrong: Validate reports the latter.
func parsedTimeout(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0
	}
	return d
}

// timeout checks a time that something may take.
func (c *checker) timeout(path, value, example string) {
	if d, err := time.ParseDuration(value); err != nil || d <= 0 || d > maxTimeout {
		c.bad(path, value, "is not a time that this can take: write one such as %s, at most 24h", example)
	}
}
