# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are set in one file of lib/ and read in another
# prometheus.sh: the Prometheus project's own releases, and Prometheus's configuration. Takes PODIUM_MIRROR_GITHUB. Needs
# step.sh; for releases download.sh and apt.sh.

# prometheus_release NAME VERSION PROGRAM...: programs of a release into /usr/local/bin, checked against the checksums
# published beside it.
prometheus_release() {
  local name=$1 version=$2 github=${PODIUM_MIRROR_GITHUB:-https://github.com}
  shift 2
  local archive base program sum there
  there=$("/usr/local/bin/$1" --version 2>&1 || true)
  if [[ $there == *"version $version "* ]]; then
    return
  fi
  archive=$name-$version.linux-$(dpkg --print-architecture)
  base=${github%/}/prometheus/$name/releases/download/v$version
  fetch "$base/sha256sums.txt" "$keep/run/$name.sums"
  sum=$(grep " $archive.tar.gz\$" "$keep/run/$name.sums") ||
    die "$base/sha256sums.txt does not name $archive.tar.gz" "does the release or the mirror have this processor's build?"
  fetch_archive "$base/$archive.tar.gz" "$keep/run/$name.tar.gz" "${sum%% *}"
  rm -rf "$keep/run/$name"
  mkdir -p "$keep/run/$name"
  tar --extract --gzip --file "$keep/run/$name.tar.gz" --directory "$keep/run/$name" --strip-components 1
  for program in "$@"; do
    install -m 0755 "$keep/run/$name/$program" "/usr/local/bin/$program.podium"
    service_changes
    mv -f "/usr/local/bin/$program.podium" "/usr/local/bin/$program"
  done
  rm -rf "$keep/run/$name" "$keep/run/$name.tar.gz"
}

# Where Prometheus finds what it needs to ask the cluster: token, ca.crt, kubelets.crt.
prometheus_cluster=/etc/prometheus/cluster

# prometheus_configuration: prints it: the nodes and, once Prometheus may ask it, the cluster.
prometheus_configuration() {
  cat "$keep/files/prometheus.yml"
  if [[ -s $prometheus_cluster/token ]]; then
    cat "$keep/files/prometheus-cluster.yml"
  fi
}

# check_prometheus: whether Prometheus takes its configuration and its rules.
check_prometheus() {
  if ! promtool check config /etc/prometheus/prometheus.yml || ! promtool check rules /etc/prometheus/podium-rules.yml; then
    die "Prometheus does not take what is in /etc/prometheus" "podium wrote it: please report this"
  fi
}

# prometheus_account: the account that Prometheus and Alertmanager run as; the distribution's packages use the same.
prometheus_account() {
  id prometheus >/dev/null 2>&1 ||
    useradd --system --user-group --home-dir /var/lib/prometheus --no-create-home --shell /usr/sbin/nologin prometheus ||
    id prometheus >/dev/null # another step may have been quicker
}

# package_version PACKAGE: the version of a package that is there.
package_version() { dpkg-query --show --showformat '${Version}' "$1"; }
