# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are set in one file of lib/ and read in another
# etcd-certificates.sh: what the steps around external etcd share. Takes PODIUM_ETCD_PKI (see input-etcd.sh). Needs step.sh.

# etcd_certificates FOLDER GROUP: puts the certificates that came along in the folder, for root and that group.
etcd_certificates() {
  local folder=$1 group=$2 file new
  # On memory, where no reboot keeps them.
  new=$(mktemp -d /run/podium-etcd.XXXXXX)
  base64 --decode <<<"$PODIUM_ETCD_PKI" | tar --extract --directory "$new"
  [[ -d $folder ]] || install -d -m 0750 -o root -g "$group" "$folder"
  for file in "$new"/*; do
    if ! cmp -s "$file" "$folder/${file##*/}"; then
      service_changes
      say "writing $folder/${file##*/}"
      install -m 0640 -o root -g "$group" "$file" "$folder/${file##*/}"
    fi
  done
  rm -rf "$new"
}
