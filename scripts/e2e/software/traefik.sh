# shellcheck shell=bash
# traefik.sh: Traefik from the Go module proxy, as the image of Docker Hub: without its web page, the DNS
# providers of ACME, whose modules are not on the proxy, and with the http-auth that its own fork comes from. Uses
# build.sh's functions.

: "${work:?}" "${bin:?}"

pack_traefik() {
  local version=3.7.13 folder=$work/src/traefik origin
  origin=$(module_folder "github.com/traefik/traefik/v3@v$version")
  traefik_module "$origin" "$folder"
  compile "$folder" ./cmd/traefik "$bin/traefik" "-X github.com/traefik/traefik/v3/pkg/version.Version=$version"
  one library/traefik "v$version" "$bin/traefik" /traefik
}

# traefik_module ORIGIN FOLDER: copies the module.
traefik_module() {
  local origin=$1 folder=$2
  [[ -f $folder/go.mod ]] && return
  rm -rf "$folder.part"
  cp -r --no-preserve=mode "$origin" "$folder.part"
  mkdir -p "$folder.part/webui/static" "$folder.part/pkg/config/dynamic/ext"
  echo '<!doctype html><title>Traefik</title>' >"$folder.part/webui/static/index.html"
  # A module within the module, which its zip leaves out. It is as empty there.
  printf 'module github.com/traefik/traefik/dynamic/ext\n\ngo 1.22\n' >"$folder.part/pkg/config/dynamic/ext/go.mod"
  printf 'package ext\n\ntype HTTP struct{}\n\ntype Router struct{}\n' >"$folder.part/pkg/config/dynamic/ext/ext.go"
  # What Traefik's fork of it has more.
  cp -r --no-preserve=mode "$(module_folder github.com/abbot/go-http-auth@v0.4.0)" "$folder.part/go-http-auth"
  printf 'module github.com/abbot/go-http-auth\n\ngo 1.22\n' >"$folder.part/go-http-auth/go.mod"
  cat >"$folder.part/go-http-auth/more.go" <<'GO'
package auth

import (
	"net/http"
	"strings"
)

// CheckSecret says whether the password is that of the secret.
func CheckSecret(password, secret string) bool {
	compare := compareFuncs[0].compare
	for _, c := range compareFuncs[1:] {
		if strings.HasPrefix(secret, c.prefix) {
			compare = c.compare
			break
		}
	}
	return compare([]byte(secret), []byte(password)) == nil
}

// RequireAuthStale asks again, as RequireAuth does.
func (da *DigestAuth) RequireAuthStale(w http.ResponseWriter, r *http.Request) { da.RequireAuth(w, r) }
GO
  sed -i 's,^\tgithub.com/abbot/go-http-auth => .*,\tgithub.com/abbot/go-http-auth => ./go-http-auth,' "$folder.part/go.mod"
  sed -i -e '/"github.com\/go-acme\/lego\/v5\/providers\/dns"/d' \
    -e 's/provider, err = dns.NewDNSChallengeProviderByName(.*)/err = errors.New("built without DNS providers")/' "$folder.part/pkg/provider/acme/provider.go"
  mv "$folder.part" "$folder"
}
