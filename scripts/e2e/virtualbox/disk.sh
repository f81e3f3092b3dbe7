#!/usr/bin/env bash
# disk.sh GUEST KERNEL OUT: a raw disk on which SYSLINUX boots KERNEL into the files of GUEST. The first process is guest/init.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
guest=$1 kernel=$2 out=$3
tree=$out.tree
trap 'rm -rf --one-file-system "$tree" "$out.fat" "$out.root" "$out.cfg"' EXIT
rm -rf --one-file-system "$tree"
mkdir "$tree"
cp -a "$guest/." "$tree"
in_tree() { chroot "$tree" /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

# accounts: what every box has: an account, and the key that everyone has.
accounts() {
  local key
  key=$(cat "$(ruby -e 'puts Gem::Specification.find_by_name("vagrant").gem_dir')/keys/vagrant.pub")
  in_tree useradd -m -s /bin/sh -p '*' vagrant # no password, yet not locked: sshd without PAM refuses a locked one
  printf '%s\n' 'vagrant ALL=(ALL) NOPASSWD: ALL' >"$tree/etc/sudoers.d/vagrant"
  install -d -m 700 "$tree/home/vagrant/.ssh"
  echo "$key" >"$tree/home/vagrant/.ssh/authorized_keys"
  chmod 600 "$tree/home/vagrant/.ssh/authorized_keys"
  in_tree chown -R vagrant: /home/vagrant/.ssh
}

# quick_logins: a login is most of what a command costs here, above all the key exchange and PAM.
quick_logins() {
  rm -f "$tree"/etc/ssh/ssh_host_*
  in_tree ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
  in_tree ssh-keygen -q -t ecdsa -N '' -f /etc/ssh/ssh_host_ecdsa_key
  printf '%s\n' 'UseDNS no' 'KexAlgorithms ecdh-sha2-nistp256' 'UsePAM no' 'PrintMotd no' 'PrintLastLog no' \
    'SetEnv PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' 'HostKey /etc/ssh/ssh_host_ed25519_key' 'HostKey /etc/ssh/ssh_host_ecdsa_key' >"$tree/etc/ssh/sshd_config.d/quick.conf"
  printf '%s\n' 'Defaults !pam_session, !pam_setcred, !syslog, !use_pty' >"$tree/etc/sudoers.d/quick"
  printf '%s\n' 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' 'export PATH' >"$tree/etc/profile"
  rm -f "$tree"/root/.profile "$tree"/root/.bashrc "$tree"/home/vagrant/.profile "$tree"/home/vagrant/.bashrc
}

# quick_commands: to start a program that is linked to libraries is most of what it costs here.
quick_commands() {
  local name
  cp /bin/busybox "$tree/usr/local/bin/busybox"
  for name in '[' awk cat chmod chown cut grep head hostname ls mkdir mv rm sed sleep sync tail test touch tr; do
    ln -s busybox "$tree/usr/local/bin/$name"
  done
  install -m 755 "$here/guest/ps" "$tree/usr/local/bin/ps"
  gcc -Os -static -o "$tree/usr/local/bin/sudo" "$here/guest/sudo.c" 2>/dev/null
  chmod 4755 "$tree/usr/local/bin/sudo"
  rm -f "$tree/usr/bin/hostnamectl" # asks a D-Bus that does not run
}

identity() {
  echo debian >"$tree/etc/hostname"
  printf '127.0.0.1 localhost\n127.0.1.1 debian\n' >"$tree/etc/hosts"
  echo 'nameserver 10.0.2.3' >"$tree/etc/resolv.conf"
  printf '/dev/sda2 / ext4 rw,noatime 0 0\n' >"$tree/etc/fstab"
  : >"$tree/etc/machine-id"
}

first_process() {
  local name
  gcc -Os -static -o "$tree/usr/local/sbin/power" "$here/guest/power.c"
  install -D -m 755 "$here/guest/init" "$tree/usr/local/lib/podium/systemd"
  install -m 755 "$here/guest/"{networkd,poweroff} "$tree/usr/local/sbin/"
  for name in halt shutdown reboot; do ln -s poweroff "$tree/usr/local/sbin/$name"; done
  install -m 755 "$here/guest/systemctl" "$tree/usr/local/bin/systemctl"
}

accounts
quick_logins
quick_commands
identity
first_process
rm -rf "$tree"/var/cache/apt/*

fat=48 # MiB
size=$(($(du -sm --apparent-size "$tree" | cut -f 1) * 13 / 10 + 200))
rm -f "$out" "$out.fat" "$out.root"
truncate -s "${fat}M" "$out.fat"
mkfs.vfat -F 16 "$out.fat" >/dev/null
syslinux --install "$out.fat"
printf '%s\n' 'DEFAULT linux' 'PROMPT 0' 'TIMEOUT 0' 'LABEL linux' ' KERNEL /vmlinuz' \
  " APPEND root=/dev/sda2 rootfstype=ext4 rw quiet net.ifnames=0 console=ttyS0 tsc=reliable lpj=2000000 noapic nolapic mitigations=off reboot=k rootwait init=/usr/local/lib/podium/systemd" >"$out.cfg"
mcopy -i "$out.fat" "$kernel" ::/vmlinuz
mcopy -i "$out.fat" "$out.cfg" ::/syslinux.cfg
truncate -s "${size}M" "$out.root"
mke2fs -q -t ext4 -O ^metadata_csum,^64bit -J size=4 -E lazy_itable_init=1 -d "$tree" "$out.root"
truncate -s "$((1 + fat + size))M" "$out"
dd if="$out.fat" of="$out" bs=1M seek=1 conv=notrunc,sparse status=none
dd if="$out.root" of="$out" bs=1M seek=$((1 + fat)) conv=notrunc,sparse status=none
printf 'label: dos\nstart=2048, size=%s, type=e, bootable\nstart=%s, type=83\n' $((fat * 2048)) $(((1 + fat) * 2048)) | sfdisk -q --no-reread "$out"
dd if=/usr/lib/syslinux/mbr/mbr.bin of="$out" bs=440 count=1 conv=notrunc status=none
