# shellcheck shell=bash
# cri-dockerd.sh: cri-dockerd from the Go module proxy, as the archive of its releases. It stands in for whichever version
# podium asks for (see mirror). Uses kubernetes.sh's functions.

: "${work:?}" "${bin:?}" "${scratch:?}" "${served:?}"

pack_cri_dockerd() {
  local version=0.4.3 folder=$work/src/cri-dockerd # the newest one that the proxy has whole
  # Its go.mod replaces modules: it is the main one, then.
  if [[ ! -f $folder/go.mod ]]; then
    rm -rf "$folder.part"
    cp -r --no-preserve=mode "$(module_folder "github.com/Mirantis/cri-dockerd@v$version")" "$folder.part"
    mv "$folder.part" "$folder"
  fi
  compile "$folder" . "$bin/cri-dockerd" "-X github.com/Mirantis/cri-dockerd/cmd/version.Version=$version"
  install -D "$bin/cri-dockerd" "$scratch/cri-dockerd/cri-dockerd/cri-dockerd"
  mkdir -p "$served/github/Mirantis/cri-dockerd"
  tar -C "$scratch/cri-dockerd" --owner=0 --group=0 -czf "$served/github/Mirantis/cri-dockerd/cri-dockerd.tgz" cri-dockerd
}
