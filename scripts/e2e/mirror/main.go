// Command mirror serves what end-to-end runs take in place of the internet: an apt repository and files of GitHub
// releases as they lie in a folder, container images read-only (the pull half of
// https://github.com/opencontainers/distribution-spec), and Debian's archive through a cache on disk.
package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:5000", "`address` to listen on")
	dir := flag.String("dir", ".", "`folder` to serve: registry/ and any other")
	archive := flag.String("archive", "", "base `URL` of a Debian archive to serve below /debian/ through a cache; empty: none")
	cache := flag.String("cache", "", "`folder` of that cache")
	verbose := flag.Bool("v", false, "print every request")
	flag.Parse()

	mux := http.NewServeMux()
	mux.Handle("GET /v2/", registry{dir: filepath.Join(*dir, "registry")})
	mux.HandleFunc("GET /github/Mirantis/cri-dockerd/releases/download/{version}/{file}", func(w http.ResponseWriter, r *http.Request) {
		// The one that could be built, for every version.
		http.ServeFile(w, r, filepath.Join(*dir, "github", "Mirantis", "cri-dockerd", "cri-dockerd.tgz"))
	})
	mux.Handle("GET /", http.FileServer(http.Dir(*dir)))
	if *archive != "" {
		a := &aptCache{upstream: strings.TrimSuffix(*archive, "/"), dir: *cache}
		mux.Handle("GET /debian/", http.StripPrefix("/debian", a))
		mux.Handle("GET /debian-security/", a)
	}
	handler := http.Handler(mux)
	if *verbose {
		handler = logged(mux)
	}
	server := &http.Server{Addr: *listen, Handler: handler}
	log.Fatal(server.ListenAndServe())
}

// registry serves manifests/NAME/TAG and blobs/DIGEST of a folder.
type registry struct{ dir string }

func (g registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	rest := strings.TrimPrefix(path.Clean(r.URL.Path), "/v2")
	if rest == "" || rest == "/" {
		w.WriteHeader(http.StatusOK)
		return
	}
	name, kind, reference := split(rest)
	switch kind {
	case "manifests":
		g.manifest(w, r, name, reference)
	case "blobs":
		digest, ok := strings.CutPrefix(reference, "sha256:")
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Docker-Content-Digest", reference)
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeFile(w, r, filepath.Join(g.dir, "blobs", digest))
	default:
		http.NotFound(w, r)
	}
}

// split takes "/coredns/coredns/manifests/v1" apart.
func split(rest string) (name, kind, reference string) {
	parts := strings.Split(strings.Trim(rest, "/"), "/")
	if len(parts) < 3 {
		return "", "", ""
	}
	last := len(parts) - 1
	return strings.Join(parts[:last-1], "/"), parts[last-1], parts[last]
}

func (g registry) manifest(w http.ResponseWriter, r *http.Request, name, reference string) {
	text, err := g.find(name, reference)
	if errors.Is(err, fs.ErrNotExist) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no image %s:%s here"}]}`, name, reference)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
	w.Header().Set("Docker-Content-Digest", digestOf(text))
	w.Header().Set("Content-Length", fmt.Sprint(len(text)))
	if r.Method != http.MethodHead {
		w.Write(text)
	}
}

// find looks a manifest up by tag or, reading those of the name, by digest.
func (g registry) find(name, reference string) ([]byte, error) {
	folder := filepath.Join(g.dir, "manifests", filepath.FromSlash(name))
	if !strings.HasPrefix(reference, "sha256:") {
		return os.ReadFile(filepath.Join(folder, reference))
	}
	tags, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, tag := range tags {
		if text, err := os.ReadFile(filepath.Join(folder, tag.Name())); err == nil && digestOf(text) == reference {
			return text, nil
		}
	}
	return nil, fs.ErrNotExist
}

func digestOf(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		log.Printf("%s %s %s %s", r.RemoteAddr, r.Method, r.URL.Path, cmp.Or(r.URL.RawQuery, "-"))
		next.ServeHTTP(w, r)
	})
}
