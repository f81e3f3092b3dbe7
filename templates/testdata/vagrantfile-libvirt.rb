# -*- mode: ruby -*-
# vi: set ft=ruby :
#
# The machines of the lab "edge", written by podium from lab.yaml.
# podium writes this file again on every `podium up`: change lab.yaml, not this.
#
# It is an ordinary Vagrantfile. In this folder `vagrant status`, `vagrant ssh a` and `vagrant up` work.
# A machine that bare `vagrant up` has made is empty: `podium up` installs on it what the lab needs.

nodes = [
  { name: "a", address: "192.168.56.10", cpus: 1, memory: 512, disk: 40960, extra_disks: [1024] },
]

Vagrant.configure("2") do |config|
  config.vm.box = "generic/arch"
  # A class should not drift apart: look for a newer box with `vagrant box outdated` instead.
  config.vm.box_check_update = false
  # Seconds that a machine may take until its SSH answers; a loaded laptop needs long.
  config.vm.boot_timeout = 600
  # Nothing of this computer is shared with the machines, so no guest additions are needed.
  config.vm.synced_folder ".", "/vagrant", disabled: true

  config.ssh.username = "vagrant"
  # The box comes with a key that the whole world has. Vagrant replaces it at the first boot, podium adds the lab's own.
  config.ssh.insert_key = true

  nodes.each do |node|
    config.vm.define node[:name] do |machine|
      machine.vm.hostname = node[:name]

      # The first network card reaches the internet (NAT), the second one this computer and the other nodes.
      machine.vm.network "private_network", ip: node[:address], netmask: "255.255.255.0",
        libvirt__network_name: "podium-edge", libvirt__dhcp_enabled: false, libvirt__forward_mode: "none"

      machine.vm.provider "libvirt" do |lv|
        lv.default_prefix = "edge-"
        lv.cpus = node[:cpus]
        lv.memory = node[:memory]
        lv.machine_virtual_size = node[:disk] / 1024 if node[:disk]
        (node[:extra_disks] || []).each { |size| lv.storage :file, size: "#{size}M" }
      end
    end
  end
end
