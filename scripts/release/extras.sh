#!/usr/bin/env bash
# extras.sh FOLDER: writes what the archives hold beside podium: completions for four shells, and the licences of every
# module that is linked into it, on any of the systems of a release.
set -euo pipefail
folder=${1:?usage: extras.sh FOLDER}
cd "$(dirname "$0")/../.."
rm -rf "$folder"
mkdir -p "$folder/completions" "$folder/licences"
for shell in bash zsh fish powershell; do
  go run ./cmd/podium completion "$shell" >"$folder/completions/podium.$shell"
done
mv "$folder/completions/podium.powershell" "$folder/completions/podium.ps1"

for os in linux darwin windows; do
  GOOS=$os CGO_ENABLED=0 go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' ./cmd/podium
done | sort -u | while read -r module dir; do
  found=0
  for file in "$dir"/LICEN[CS]E* "$dir"/COPYING* "$dir"/NOTICE*; do
    [[ -f $file ]] || continue
    found=1
    install -D -m 644 "$file" "$folder/licences/$module/${file##*/}"
  done
  ((found)) || { echo "extras.sh: $module has no licence file" >&2 && exit 1; }
done
