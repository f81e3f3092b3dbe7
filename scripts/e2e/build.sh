# shellcheck shell=bash
# shellcheck disable=SC2154 # kubernetes.sh says where things lie
# build.sh: what kubernetes.sh and the files in software/ build with: programs from Go modules, Debian packages in signed
# repositories, container images as a registry serves them.

say() { printf '%s  %s\n' "$(date +%T)" "$*" >&2; }
die() {
  printf 'kubernetes.sh: %s\n' "$*" >&2
  exit 1
}

# shellcheck source-path=SCRIPTDIR source=packages.sh
. "$here/packages.sh"

# gentle runs a compiler so that it leaves the second core to others.
gentle() { nice -n 10 env CGO_ENABLED=0 GOFLAGS=-mod=mod "$@"; }

# compile MODULE-FOLDER PACKAGE OUTPUT [LDFLAGS]: one static binary, skipped when it is there and no older than its module.
compile() {
  local folder=$1 package=$2 output=$3 flags=${4:-}
  [[ ! -x $output || $folder/go.mod -nt $output ]] || return 0
  say "compiling ${output##*/}"
  (cd "$folder" && gentle go build -p 1 -trimpath -ldflags "-s -w $flags" -o "$output.part" "$package")
  mv "$output.part" "$output"
}

# module FOLDER MODULE@VERSION: a module of our own that requires just that one.
module() {
  local folder=$1 target=$2
  [[ -f $folder/go.sum ]] && grep -q -F "${target%@*} ${target#*@}" "$folder/go.mod" && return
  rm -rf "$folder"
  mkdir -p "$folder"
  printf 'module podium.test/%s\n\ngo 1.24\n\nrequire %s v%s\n' "${folder##*/}" "${target%@*}" "${target#*@v}" >"$folder/go.mod"
}

# module_folder MODULE@VERSION: where the files of a module lie, for what is not compiled.
module_folder() {
  local folder
  mkdir -p "$work/src"
  folder=$(cd "$work/src" && go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  [[ -d $folder ]] || die "$1 cannot be had from the Go module proxy: check GOPROXY and the network"
  printf '%s\n' "$folder"
}

# small NAME <SOURCE: a program of one file.
small() {
  mkdir -p "$work/src/$1"
  [[ -f $work/src/$1/go.mod ]] || printf 'module podium.test/%s\n\ngo 1.24\n' "$1" >"$work/src/$1/go.mod"
  cat >"$work/src/$1/main.go.new"
  cmp --silent "$work/src/$1/main.go.new" "$work/src/$1/main.go" || rm -f "$bin/$1"
  mv "$work/src/$1/main.go.new" "$work/src/$1/main.go"
  compile "$work/src/$1" . "$bin/$1"
}

# package NAME VERSION FOLDER DEPENDS DESCRIPTION: one .deb of a folder's files, the same one whenever it is made again:
# another run may be installing it.
package() {
  local name=$1 release=$2 folder=$3 depends=$4 about=$5
  mkdir -p "$folder/DEBIAN"
  {
    printf 'Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: podium end-to-end run <root@localhost>\n' \
      "$name" "$release" "$(dpkg --print-architecture)"
    [[ -z $depends ]] || printf 'Depends: %s\n' "$depends"
    printf 'Description: %s\n' "$about"
  } >"$folder/DEBIAN/control"
  SOURCE_DATE_EPOCH=0 dpkg-deb --root-owner-group -Zzstd -z3 --build "$folder" "$repository/$(dpkg --print-architecture)/" >/dev/null
}

# sign makes the index of a repository of just one folder, as pkgs.k8s.io has it for each minor.
sign() {
  (cd "$repository" && dpkg-scanpackages --multiversion . 2>/dev/null >Packages)
  sign_release "$repository" Packages
}

# sign_release FOLDER INDEX [FIELD...]: the file that vouches for an index, signed with a key that all repositories share, and
# that key beside it.
sign_release() {
  local folder=$1 index=$2
  shift 2
  export GNUPGHOME=$keyring
  exec 7>"$keyring.lock"
  flock 7
  if [[ ! -d $keyring ]]; then
    mkdir -m 700 "$keyring"
    gpg --batch --quiet --passphrase '' --quick-generate-key "podium end-to-end run" ed25519 sign 1y
  fi
  (
    cd "$folder" || exit
    rm -f InRelease
    {
      printf '%s\n' "Origin: podium end-to-end run" "Architectures: $(dpkg --print-architecture)" "Date: $(LC_ALL=C date -uR)" "$@" SHA256:
      printf ' %s %s %s\n' "$(sha256sum <"$index" | cut -d ' ' -f 1)" "$(stat -c %s "$index")" "$index"
    } >Release
    gpg --batch --quiet --yes --clearsign --output InRelease Release
    gpg --batch --quiet --armor --export >Release.key
  )
  gpgconf --kill all
  exec 7>&-
}

# image NAME TAG FOLDER ENTRYPOINT [BASE]: one container image, as a registry serves it: a layer of the files in FOLDER,
# on top of one of those in BASE.
image() {
  local name=$1 tag=$2 folder=$3 entry=$4 base=${5:-} tree digest ids='' layers='' config
  mkdir -p "$registry/blobs" "$registry/manifests/$name"
  for tree in ${base:+"$base"} "$folder"; do
    tar -C "$tree" --sort=name --mtime=@0 --numeric-owner --owner=0 --group=0 -cf "$scratch/layer" .
    digest=$(blob "$scratch/layer")
    ids+=${ids:+,}\"sha256:$digest\"
    layers+=${layers:+,}$(descriptor layer.v1.tar "$digest")
  done
  printf '{"architecture":"%s","os":"linux","config":{"Entrypoint":["%s"],"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},"rootfs":{"type":"layers","diff_ids":[%s]}}' \
    "$(dpkg --print-architecture)" "$entry" "$ids" >"$scratch/config"
  config=$(blob "$scratch/config")
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}' \
    "$(descriptor config.v1+json "$config")" "$layers" >"$registry/manifests/$name/$tag"
}

# descriptor KIND DIGEST: what a manifest says of a blob.
descriptor() {
  printf '{"mediaType":"application/vnd.oci.image.%s","digest":"sha256:%s","size":%s}' "$1" "$2" "$(stat -c %s "$registry/blobs/$2")"
}

# blob FILE: moves it to where it is found by its digest, which it prints.
blob() {
  local digest
  digest=$(sha256sum <"$1" | cut -d ' ' -f 1)
  mv "$1" "$registry/blobs/$digest"
  echo "$digest"
}

# network_tools FOLDER: a tree with what kube-proxy and flannel call: iptables, and a shell.
network_tools() {
  exec 7>"$tools.lock"
  flock 7
  [[ -f $tools ]] || {
    mmdebstrap --quiet --format=tar --variant=extract --mode=root --include=iptables,nftables,conntrack,ipset,busybox-static,ca-certificates \
      --dpkgopt='path-exclude=/usr/share/*' \
      "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" "$tools.part" "$mirror"
    mv "$tools.part" "$tools"
  }
  exec 7>&-
  mkdir -p "$1"
  tar -C "$1" -xf "$tools"
  local tool
  for tool in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
    ln -sf xtables-nft-multi "$1/usr/sbin/$tool"
  done
  for tool in sh cp cat ls sleep mkdir ip; do
    [[ -e $1/bin/$tool ]] || ln -s busybox "$1/bin/$tool"
  done
  mkdir -p "$1/run" "$1/etc/kube-flannel"
}

# one NAME TAG PROGRAM PATH: an image of one static program.
one() {
  rm -rf "$scratch/root"
  install -D "$3" "$scratch/root$4"
  mkdir -p "$scratch/root/tmp"
  cp --parents -L /etc/ssl/certs/ca-certificates.crt "$scratch/root" 2>/dev/null || true
  image "$1" "$2" "$scratch/root" "$4"
  rm -rf "$scratch/root"
}
