#!/bin/sh
# Run once as root in a new node, through Incus: makes the lab's user with its key and sudo, sees to it that sshd runs,
# prints the public host keys, and "cgroup-v1" where the server still has that. It can run again.
#
# usage: admit.sh NODE USER KEY
set -eu
node=$1 user=$2 key=$3
exec 3>&1 >&2 # what is printed is for podium, all else for people

# The first process may still be setting the system up.
try=0
until systemctl show --property=Version >/dev/null 2>&1; do
  try=$((try + 1))
  [ "$try" -lt 600 ] || {
    echo "systemd does not answer: is it this image's init?"
    exit 1
  }
  sleep 0.1
done

# A podium that was killed leaves this running, and the next one runs it too: useradd does not bear that. Not before
# systemd has mounted /run, or each could have a lock of its own.
exec 9>/run/podium-admit.lock
flock 9

# The address comes from the server. Without one, waiting for SSH would only hide the reason.
try=0
until ip -4 -oneline address show scope global 2>/dev/null | grep -q .; do
  try=$((try + 1))
  if [ "$try" -ge 300 ]; then
    echo "the node gets no address from the server: see there: incus exec INSTANCE -- journalctl -b"
    if journalctl -b 2>/dev/null | grep -q 'inotify.*Too many open files'; then
      echo "the server allows too few inotify instances for so many containers: sudo sysctl fs.inotify.max_user_instances=1024"
    fi
    exit 1
  fi
  sleep 0.1
done

# cloud-init makes users and host keys too: let it finish first. It fails without a network; that is not our matter.
if command -v cloud-init >/dev/null && [ ! -e /etc/cloud/cloud-init.disabled ]; then
  timeout 300 cloud-init status --wait >/dev/null 2>&1 || true
fi

echo "$node" >/etc/hostname
hostname "$node"

if ! command -v sshd >/dev/null && [ ! -x /usr/sbin/sshd ]; then
  echo "the image has no sshd: installing it"
  try=0
  until getent hosts deb.debian.org archive.ubuntu.com >/dev/null 2>&1 || [ "$try" -ge 30 ]; do
    try=$((try + 1))
    sleep 1
  done
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq -o DPkg::Lock::Timeout=300 update
  apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends openssh-server sudo
fi

id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$user"
home=$(getent passwd "$user" | cut -d: -f6)
group=$(id -g "$user")
# A useradd that was cut off leaves an account without a home, and sshd refuses one that is somebody else's.
[ -d "$home" ] || cp -r /etc/skel "$home"
[ "$(stat -c %u "$home")" = "$(id -u "$user")" ] || chown -R "$user:$group" "$home"
install -d -m 700 -o "$user" -g "$group" "$home/.ssh"
touch "$home/.ssh/authorized_keys"
grep -qxF "$key" "$home/.ssh/authorized_keys" || echo "$key" >>"$home/.ssh/authorized_keys"
chown "$user:$group" "$home/.ssh/authorized_keys"
chmod 600 "$home/.ssh/authorized_keys"
(umask 337 && echo "$user ALL=(ALL) NOPASSWD:ALL" >/etc/sudoers.d/90-podium)

# While the system starts, nobody but root may log in: an sshd that answers before that is over refuses everybody.
for unit in ssh sshd; do
  mkdir -p "/etc/systemd/system/$unit.service.d"
  printf '[Unit]\nAfter=systemd-user-sessions.service\n' >"/etc/systemd/system/$unit.service.d/podium.conf"
done
systemctl daemon-reload
systemctl start systemd-user-sessions.service
# Units that make host keys run before this one.
systemctl start ssh.service || systemctl start sshd.service
cat /etc/ssh/ssh_host_*_key.pub >&3
[ -e /sys/fs/cgroup/cgroup.controllers ] || echo cgroup-v1 >&3
