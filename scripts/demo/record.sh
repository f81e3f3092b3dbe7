#!/usr/bin/env bash
# record.sh: makes up.svg, the moving picture of README.md, from a run of podium up in a terminal of tmux. The lab is
# simulated with the times of a laptop (times.yaml), so that it can be made again on any computer; it says "simulated".
#
# usage: scripts/demo/record.sh        needs: go, tmux; takes 80 seconds
set -euo pipefail
cd "$(dirname "$0")"
command -v tmux >/dev/null || { echo "record.sh: tmux is missing: apt-get install tmux" >&2 && exit 2; }
work=$(mktemp -d)
finish() {
  tmux -L podium-demo kill-server 2>/dev/null || true
  [[ ! -e $work/my-cluster ]] || "$work/podium" destroy "$work/my-cluster" --yes >/dev/null
  rm -rf "$work"
}
trap finish EXIT
go build -o "$work/podium" ../../cmd/podium
cp times.yaml "$work"
(cd "$work" && ./podium init k8s-basic my-cluster >/dev/null)
tmux -L podium-demo new-session -d -x 96 -y 30 -c "$work" \
  "printf '\$ podium up my-cluster\n'; PATH=$work:\$PATH podium up my-cluster --provider sim --sim-file times.yaml; sleep 5"
frame=0
while tmux -L podium-demo capture-pane -p -e >"$work/frame" 2>/dev/null; do
  mv "$work/frame" "$work/$(printf '%03d' "$frame").frame"
  frame=$((frame + 1))
  sleep 2
done
go run . "$work"/*.frame >up.svg
wc -c up.svg
