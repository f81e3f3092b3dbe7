#!/usr/bin/env bash
# The node answers at the address by itself: no packet goes into blue.
set -euo pipefail
ip netns add blue
ip link add to-blue type veth peer name eth0 netns blue
ip address add "10.200.$NET.2/24" dev to-blue
ip link set to-blue up
