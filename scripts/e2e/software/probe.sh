# shellcheck shell=bash
# shellcheck disable=SC2154 # set by kubernetes.sh
# probe.sh: the image podium/probe: asks a URL ten times a second and says once a second how often it was answered.

pack_probe() {
  small probe <<'GO'
// probe asks the URL of its argument ten times a second, each time over a new connection, and prints once a second
// "asked=N failed=N longest=MS": since its start, the longest time without an answer included.
package main

import (
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"
)

func main() {
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	var mu sync.Mutex
	var asked, failed int
	var longest time.Duration
	last := time.Now()
	every := time.NewTicker(100 * time.Millisecond)
	for n := 1; ; n++ {
		<-every.C
		go func() {
			answer, err := client.Get(os.Args[1])
			mu.Lock()
			defer mu.Unlock()
			asked++
			if err == nil {
				answer.Body.Close()
			}
			if err != nil || answer.StatusCode != http.StatusOK {
				failed++
				fmt.Println("failed:", time.Now().UTC().Format("15:04:05.000"), err)
				return
			}
			longest = max(longest, time.Since(last))
			last = time.Now()
		}()
		if n%10 == 0 {
			mu.Lock()
			fmt.Printf("asked=%d failed=%d longest=%d\n", asked, failed, longest.Milliseconds())
			mu.Unlock()
		}
	}
}
GO
  one podium/probe 1 "$bin/probe" /probe
}
