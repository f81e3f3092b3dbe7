# shellcheck shell=bash
# shellcheck disable=SC2154 # kubernetes.sh says where things lie
# hello: the image that tests run; it listens on port 8080.

pack_hello() {
  mkdir -p "$bin" "$registry"
  small hello <<'GO'
// hello answers every request with the name of the machine it runs on. With arguments it prints what those URLs answer.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	client := http.Client{Timeout: 3 * time.Second}
	for _, url := range os.Args[1:] {
		answer, err := client.Get(url)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
			log.Fatal(err)
		}
		answer.Body.Close()
	}
	if len(os.Args) > 1 {
		return
	}
	name, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "hello from %s\n", name) })
	log.Fatal(http.ListenAndServe(":8080", nil))
}
GO
  one podium/hello 1 "$bin/hello" /hello
}
