#!/bin/bash
# guestsetup.sh: what Vagrant does over SSH at a machine's first boot, done in one go on a clone of a machine that Vagrant has
# booted: the host name, the private network card, a key that opens this machine alone. Twice on a machine changes nothing.
#
# Takes:  as arguments the host name, the login, the public key, the file that configures the private card, its mode and
#         the machine's address in it; as standard input that file's content
# Gives:  nothing. Exit code 78: this system configures its network in a way that is not known here
# Alone:  sudo bash guestsetup.sh w1 vagrant "$(cat key.pub)" /etc/netplan/50-vagrant.yaml 644 192.168.56.11 <50-vagrant.yaml
set -euo pipefail

name=$1 login=$2 key=$3 file=$4 mode=$5 address=$6
readonly unknown=78

case $file in
  /etc/netplan/*.yaml) apply=(netplan apply) ;;
  /etc/systemd/network/*.network) apply=(systemctl restart systemd-networkd.service) ;;
  *) exit "$unknown" ;;
esac
command -v "${apply[0]}" >/dev/null || exit "$unknown"

# As in Vagrant's plugins/guests/debian/cap/change_host_name.rb.
if ! grep -qw -e "$name" /etc/hosts; then
  for i in 1 2 3 4 5; do
    if ! grep -qw -e "127.0.$i.1" /etc/hosts; then
      printf '127.0.%s.1 %s %s\n' "$i" "$name" "$name" >>/etc/hosts
      break
    fi
  done
fi
printf '%s\n' "$name" >/etc/hostname
printf '%s\n' "$name" >/etc/mailname
if [[ $(hostname) != "$name" ]]; then
  hostname "$name"
fi

home=$(getent passwd "$login" | cut -d : -f 6)
install -d -m 0700 -o "$login" -g "$(id -g "$login")" "$home/.ssh"
keys=$home/.ssh/authorized_keys
touch "$keys"
chown "$login:" "$keys"
chmod 0600 "$keys"
grep -qxF -e "$key" "$keys" || printf '%s\n' "$key" >>"$keys"

new=$file.podium
cat >"$new"
chmod "$mode" "$new"
if cmp -s "$new" "$file"; then
  rm "$new"
else
  mv "$new" "$file"
  "${apply[@]}"
fi
for ((try = 0; try < 150; try++)); do
  if ip -4 -o address show | grep -qF " $address/"; then
    sync
    exit
  fi
  sleep 0.1
done
echo "the address $address did not come up after: ${apply[*]}" >&2
exit 1
