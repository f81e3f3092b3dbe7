# -*- mode: ruby -*-
# vi: set ft=ruby :
#
# The machines of the lab "containers", written by podium from lab.yaml.
# podium writes this file again on every `podium up`: change lab.yaml, not this.
#
# It is an ordinary Vagrantfile. In this folder `vagrant status`, `vagrant ssh box` and `vagrant up` work.
# A machine that bare `vagrant up` has made is empty: `podium up` installs on it what the lab needs.

nodes = [
  { name: "box", address: "192.168.56.10", cpus: 1, memory: 1024, ssh_port: 22980 },
]

Vagrant.configure("2") do |config|
  config.vm.box = "bento/ubuntu-24.04"
  # A class should not drift apart: look for a newer box with `vagrant box outdated` instead.
  config.vm.box_check_update = false
  # Saves the time that Vagrant takes to find out.
  config.vm.guest = :ubuntu
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
      machine.vm.network "private_network", ip: node[:address], netmask: "255.255.255.0"
      # SSH always on the same port of this computer, for nobody else.
      machine.vm.network "forwarded_port", id: "ssh", guest: 22, host: node[:ssh_port], host_ip: "127.0.0.1"

      machine.vm.provider "virtualbox" do |vb|
        vb.name = "containers-" + node[:name]
        vb.cpus = node[:cpus]
        vb.memory = node[:memory]
        # All machines share one copy of the box's disk and keep only what differs.
        vb.linked_clone = true
        vb.check_guest_additions = false
        # VirtualBox's window shows the machines of a lab in a group of their own.
        vb.customize ["modifyvm", :id, "--groups", "/containers"]
        # Names are looked up as this computer does it, VPN and all.
        vb.auto_nat_dns_proxy = false
        vb.customize ["modifyvm", :id, "--natdnsproxy1", "off", "--natdnshostresolver1", "on"]
      end
    end
  end
end
