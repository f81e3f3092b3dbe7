# shellcheck shell=bash
# swap.sh: swap off, now and after a reboot: the kubelet refuses to start with it. Needs step.sh.

# end_swap: a line in fstab or a unit would bring it back with the next boot.
end_swap() {
  local unit
  if in_container; then
    return # the host's swap; the kubelet is told to bear it
  fi
  if [[ -n $(swapon --show --noheadings) ]]; then
    say "turning swap off"
    swapoff --all
  fi
  if grep -q -E '^[^#].*[[:blank:]]swap[[:blank:]]' /etc/fstab; then
    say "taking swap out of /etc/fstab"
    sed -i -E 's/^([^#].*[[:blank:]]swap[[:blank:]].*)$/# podium: \1/' /etc/fstab
  fi
  for unit in $(systemctl list-units --type=swap --all --plain --no-legend | cut -d ' ' -f 1); do
    if [[ $(systemctl is-enabled "$unit" 2>/dev/null) != masked ]]; then
      say "masking $unit"
      systemctl mask --quiet "$unit"
    fi
  done
}
