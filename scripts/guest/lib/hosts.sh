# shellcheck shell=bash
# hosts.sh: /etc/hosts with the nodes of the lab. Takes PODIUM_HOSTS (lines "address name [alias...]").

# hosts_text: the file as it should be: what others have written there stays, but for lines by which a box names itself:
# with "127.0.1.1 NAME" the node would announce itself by an address that no other can reach.
hosts_text() {
  local line kept='' ours=no
  while IFS= read -r line; do
    case $line in
      '# podium: the nodes of the lab') ours=yes ;;
      '# podium: end') ours=no ;;
      127.0.[12].1[[:blank:]]*) ;;
      *) [[ $ours == yes ]] || kept+=$line$'\n' ;;
    esac
  done </etc/hosts
  printf '%s# podium: the nodes of the lab\n%s\n# podium: end\n' "$kept" "$PODIUM_HOSTS"
}
