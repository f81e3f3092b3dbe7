# shellcheck shell=bash
# Ten plain nodes with containerd: seconds per node, and how their work overlaps on this computer. podium itself puts
# containerd on nodes of clusters only; so the lab has a step of its own, with the script that those get.

: "${work:?}" "${here:?}"

run_ten() {
  local lab=$1/lab
  mkdir "$lab"
  cat >"$lab/lab.yaml" <<'END'
name: ten
nodes: [{name: n, count: 10, cpus: 1, memory: 512MiB}]
steps:
  - name: containerd
    script: containerd.sh
    vars: {PODIUM_RUNTIME: containerd, PODIUM_CRI_SOCKET: "unix:///run/containerd/containerd.sock", PODIUM_KUBERNETES_MINOR: "1.34"}
source: distro
incus: {image: debian-12}
END
  cp "$here/../guest/containerd.sh" "$lab/"
  check "up of ten nodes from nothing" podium up "$lab" --provider incus --no-baseline -o json || return
  overlap <"$work/output"
  check "containerd answers on all ten" podium exec "$lab" --sudo -- ctr version
  check "a second up changes nothing" idle "$lab" --no-baseline
  check "exec on ten nodes" podium exec "$lab" -- true
  check "the first good state of ten is kept" podium up "$lab"
  check "reset of ten" podium reset "$lab" --yes
  check "destroy" podium destroy "$lab" --yes
  check "nothing is left behind" gone ten
}

# overlap <EVENTS: seconds of work per node, of up, and what they come to. Steps wait for each other's processors, so a
# node's seconds grow with the number of nodes at work.
overlap() {
  local line
  while read -r line; do figure "${line%%:*}" "${line#*: }"; done < <(awk '
    function field(name, text) {
      if (!match($0, "\"" name "\":\"?[^\",}]*")) return ""
      text = substr($0, RSTART, RLENGTH)
      sub(/^"[a-z_]*":"?/, "", text)
      return text
    }
    /"kind":"task-done"/ {
      seconds = field("duration_ns") / 1e9
      node[field("node")] += seconds
      step[field("step")] += seconds
      if (seconds > longest[field("step")]) longest[field("step")] = seconds
      work += seconds
      if (!((field("step")) in order)) order[field("step")] = ++steps
    }
    /"kind":"run-finished"/ { up = field("duration_ns") / 1e9 }
    END {
      for (n in node) { count++; if (node[n] > most) most = node[n]; if (!least || node[n] < least) least = node[n] }
      printf "up: %.1fs for %d nodes, %.1fs a node\n", up, count, up / count
      printf "work of a node from its boot to its last step: %.1fs to %.1fs, %.1fs on average\n", least, most, work / count
      printf "overlap: %.1f nodes at work at the same time\n", work / up
      for (s in order) name[order[s]] = s
      for (i = 1; i <= steps; i++) printf "%s: %.1fs on average, at most %.1fs\n", name[i], step[name[i]] / count, longest[name[i]]
    }')
}
