# shellcheck shell=bash
# prometheus.sh: Prometheus, Alertmanager, node_exporter and kube-state-metrics, compiled from their modules: as the
# archives of their releases on GitHub, with checksums, and as container images. The versions are those of podium's
# catalogue. Without the web pages, which are not in the modules; the APIs are whole.

: "${bin:?}" "${work:?}" "${served:?}" "${scratch:?}"

pack_prometheus() {
  local prometheus=3.13.5 alertmanager=0.34.2 exporter=1.12.1 state=2.19.1
  # Prometheus 3.13.5 is v0.313.5 of its module. Of its ways to discover targets only Kubernetes' is built in.
  local module_version
  module_version=0.3$(cut -d . -f 2 <<<"$prometheus").${prometheus##*.}
  from_module prometheus github.com/prometheus/prometheus "$module_version" cmd/prometheus prometheus "$prometheus"
  from_module prometheus github.com/prometheus/prometheus "$module_version" cmd/promtool promtool "$prometheus"
  alertmanager_module "$alertmanager"
  build_release "$work/src/alertmanager" ./cmd/alertmanager alertmanager "$alertmanager"
  build_release "$work/src/alertmanager" ./cmd/amtool amtool "$alertmanager"
  from_module node_exporter github.com/prometheus/node_exporter "$exporter" . node_exporter "$exporter"
  from_module kube-state-metrics k8s.io/kube-state-metrics/v2 "$state" . kube-state-metrics "$state"

  release prometheus "$prometheus" prometheus promtool
  release alertmanager "$alertmanager" alertmanager amtool
  release node_exporter "$exporter" node_exporter

  one prometheus/prometheus "v$prometheus" "$bin/prometheus" /bin/prometheus
  one prometheus/alertmanager "v$alertmanager" "$bin/alertmanager" /bin/alertmanager
  one prometheus/node-exporter "v$exporter" "$bin/node_exporter" /bin/node_exporter
  one kube-state-metrics/kube-state-metrics "v$state" "$bin/kube-state-metrics" /kube-state-metrics
}

# from_module FOLDER MODULE VERSION PACKAGE PROGRAM RELEASE: a program out of a module of our own that requires just that one.
from_module() {
  local package=$2/$4
  module "$work/src/$1" "$2@v$3"
  build_release "$work/src/$1" "${package%/.}" "$5" "$6"
}

# alertmanager_module VERSION: a copy of the module, which embeds web pages that it does not contain: here an empty one.
alertmanager_module() {
  local folder=$work/src/alertmanager origin
  [[ ! -f $folder/ui/app/dist/$1 ]] || return 0
  origin=$(module_folder "github.com/prometheus/alertmanager@v$1")
  rm -rf "$folder" "$folder.part"
  cp -r --no-preserve=mode "$origin" "$folder.part"
  mkdir -p "$folder.part/ui/app/dist"
  : >"$folder.part/ui/app/dist/$1"
  mv "$folder.part" "$folder"
}

# build_release FOLDER PACKAGE PROGRAM RELEASE: one static program that calls itself RELEASE.
build_release() {
  local folder=$1 package=$2 output=$bin/$3 release=$4
  [[ ! -x $output || $folder/go.mod -nt $output ]] || return 0
  say "compiling $3"
  (
    cd "$folder" || exit
    gentle go build -p 1 -trimpath -tags remove_all_sd,enable_kubernetes_sd,netgo \
      -ldflags "-s -w -X github.com/prometheus/common/version.Version=$release" -o "$output.part" "$package"
  )
  mv "$output.part" "$output"
}

# release NAME VERSION PROGRAM...: the archive of a release as GitHub serves it, and its checksum beside it.
release() {
  local name=$1 version=$2 program folder top
  shift 2
  top=$name-$version.linux-$(dpkg --print-architecture)
  folder=$served/github/prometheus/$name/releases/download/v$version
  rm -rf "$folder"
  mkdir -p "$folder"
  for program in "$@"; do install -D "$bin/$program" "$scratch/release/$top/$program"; done
  tar -C "$scratch/release" -czf "$folder/$top.tar.gz" "$top"
  (cd "$folder" && sha256sum "$top.tar.gz" >sha256sums.txt)
  rm -rf "$scratch/release"
}
