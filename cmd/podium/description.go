package main

import (
	"fmt"
)

func isDescriptionError(err error) bool { return false }
func isPreflightError(err error) bool   { return false }
func problemsOf(err error) any          { return nil }
func countProblems(err error) string    { return fmt.Sprint(err) }
