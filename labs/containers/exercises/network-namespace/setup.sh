#!/usr/bin/env bash
# There is no namespace blue, and nothing of the node has the exercise's addresses.
set -euo pipefail
ip netns delete blue 2>/dev/null || true # the node's end of its cable goes with it
ip -4 -o address show to "10.200.$NET.0/24" | while read -r _ link _ address _; do
  ip address delete "$address" dev "$link" || true
done
