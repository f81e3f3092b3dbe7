#!/usr/bin/env bash
# box.sh RAW BOX: inside.sh runs it: a Vagrant box of a raw disk, as `vagrant package` would make one.
set -euo pipefail
raw=$1 box=$2
dir=$PODIUM_VBOX_WORK/box
mkdir "$dir"
VBoxManage convertfromraw "$raw" "$dir/disk.vdi" --format VDI
VBoxManage createvm --name box --ostype Debian_64 --register --basefolder "$dir"
# What a machine does not have costs no instructions: each counts where they are interpreted.
VBoxManage modifyvm box --memory 256 --cpus 1 --nic1 nat --nictype1 82540EM --audio-enabled off --graphicscontroller vmsvga --vram 8 \
  --hwvirtex off --paravirtprovider none --ioapic off --acpi on --rtcuseutc on --usb-ohci off --mouse ps2 \
  --boot1 disk --boot2 none --boot3 none --boot4 none \
  --bioslogofadein off --bioslogofadeout off --bioslogodisplaytime 0 --biosbootmenu disabled
VBoxManage storagectl box --name 'SATA Controller' --add sata --portcount 2
VBoxManage storageattach box --storagectl 'SATA Controller' --port 0 --device 0 --type hdd --medium "$dir/disk.vdi"
VBoxManage export box --output "$dir/box.ovf"
VBoxManage unregistervm box --delete
echo '{"provider": "virtualbox"}' >"$dir/metadata.json"
cat >"$dir/Vagrantfile" <<'RUBY'
Vagrant.configure("2") do |config|
  config.vm.guest = :debian
  config.ssh.connect_timeout = 60
  config.ssh.shell = "sh"
end
RUBY
cd "$dir"
tar -cf "$box" box.ovf ./*.vmdk metadata.json Vagrantfile
rm -rf "$dir"
