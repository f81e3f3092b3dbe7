package main

import (
	"fmt"
	"strconv"
	"time"
)

// timeLimit is the value of a flag such as --timeout.
type timeLimit time.Duration

func (t *timeLimit) Type() string { return "time" }

func (t *timeLimit) String() string {
	if *t == 0 {
		return ""
	}
	return time.Duration(*t).String()
}

// Set takes a number with its unit.
func (t *timeLimit) Set(text string) error {
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return fmt.Errorf("a time needs its unit: write %ss for seconds, or %sm for minutes", text, text)
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return fmt.Errorf("write a number with its unit, such as 30s, 5m or 1h30m")
	case d <= 0:
		return fmt.Errorf("write a time longer than 0, such as 30s")
	}
	*t = timeLimit(d)
	return nil
}
