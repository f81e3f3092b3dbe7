#!/usr/bin/env bash
# life.sh: the runs of ../virtualbox.sh, which sources it where VBoxManage starts real machines.
# shellcheck disable=SC2317 # step calls functions by their names

work=$PODIUM_VBOX_WORK

say() { printf '%s  %s\n' "$(date +%T)" "$*" >&2; }
die() {
  printf 'virtualbox.sh: %s\n' "$*" >&2
  exit 1
}

# There is neither the kernel module nor the processor's virtualisation.
skip=(--skip-preflight virtualisation-off --skip-preflight kernel-module --skip-preflight kvm --skip-preflight disk)

# lab COUNT writes a lab of n1, n2, ... and goes there. Nothing is fetched from the archive.
lab() {
  nodes=()
  local n
  for ((n = 1; n <= $1; n++)); do nodes+=("n$n"); done
  mkdir -p "$work/lab"
  cat >"$work/lab/lab.yaml" <<YAML
name: vb
provider: virtualbox
box: podium/debian
network: 192.168.56.0/24
mirrors: {apt: "http://192.168.56.1/debian"}
boot_timeout: 60m
ssh_timeout: 3m
nodes:
  - {name: n, count: $1, roles: [], cpus: 1, memory: 256MiB}
YAML
  cd "$work/lab" || exit
}

own() { (cd "$work/lab/.podium/vagrant" && vagrant "$@"); }
id() { cat "$work/lab/.podium/vagrant/.vagrant/machines/$1/virtualbox/id"; }
state_of() { VBoxManage showvminfo "$(id "$1")" --machinereadable | sed -n 's/^VMState="\(.*\)"$/\1/p'; }

# step WORDS COMMAND...: runs it and says how long it took, beside what else the computer had to do.
step() {
  local what=$1 begin code=0
  shift
  begin=$(date +%s%N)
  "$@" >"$work/out" 2>&1 || code=$?
  say "$(printf '%-44s %5s s, load %s' "$what" "$((($(date +%s%N) - begin) / 1000000000))" "$(cut -d' ' -f 1 /proc/loadavg)")"
  ((code == 0)) || die "$what: exit code $code: $(tail -n 25 "$work/out")"
}

# are PODIUM VAGRANT: podium and vagrant must find every machine in that state, each in its own word.
are() {
  local found want=''
  found=$(podium status -o json | tr -d ' \n' | grep -o "\"machine\":\"$1\"" | wc -l)
  [[ $found == "${#nodes[@]}" ]] || die "podium: $found machines are $1, want ${#nodes[@]}: $(podium status 2>&1)"
  found=$(own status --machine-readable | sed -n 's/^[0-9]*,\([^,]*\),state,\(.*\)$/\1 \2/p' | sort | tr '\n' ' ')
  for node in "${nodes[@]}"; do want+="$node $2 "; done
  [[ $found == "$want" ]] || die "vagrant sees: $found, want $want"
  say "podium and vagrant agree: all are $1"
}

# up OPTION...: podium up.
# shellcheck disable=SC2120 # some callers have options
up() { podium up "${skip[@]}" "$@"; }

# becomes NODE STATE: VirtualBox must come to that state within seconds.
becomes() {
  local try
  for ((try = 0; try < 100; try++)); do
    [[ $(state_of "$1") != "$2" ]] || return 0
    sleep 0.3
  done
  die "$1 is $(state_of "$1"), want $2"
}

# says COMMAND... WORDS: the output of the last step has the words.
said() { grep -q -e "$1" "$work/out" || die "it does not say $1: $(cat "$work/out")"; }

nothing_left() {
  ! VBoxManage list vms | grep -v '^"box_\|^"virtualbox_' | grep -q . || die "machines are left: $(VBoxManage list vms)"
  [[ ! -e .podium/vagrant ]] || die "the Vagrantfile is left"
  local found
  found=$(pgrep -x VirtualBoxVM || true)
  [[ -z $found ]] || die "processes are left: $found"
}

has() { podium exec --on "$1" -- sudo test -e "/root/$2"; }

# short is one machine's life.
short() {
  lab 1
  step "up" up
  are running running
  step "exec" podium exec -- hostname
  said 'n1'
  echo hello >file.txt
  step "copy" podium copy file.txt :/home/vagrant/file.txt
  step "ssh" podium ssh n1 -- cat file.txt
  said hello
  step "vagrant ssh" own ssh n1 -c hostname
  said '^n1'
  step "halt" podium halt
  are stopped poweroff
  step "snapshot save" podium snapshot save later
  step "snapshot list" podium snapshot list
  said later
  step "up of what was halted" up
  step "a file that halt keeps" podium ssh n1 -- cat file.txt
  step "reset" podium reset --yes
  ! podium ssh n1 -- test -e file.txt || die "reset kept what came after the first good state"
  step "snapshot restore" podium snapshot restore later --yes
  step "a file that the snapshot has" podium ssh n1 -- cat file.txt
  step "snapshot delete" podium snapshot delete later
  are running running
  step "destroy" podium destroy --yes
  nothing_left
  say "done: one real machine from up to destroy"
}

# life is that of two machines, and what can happen to them.
life() {
  lab 2
  step "up, each by vagrant" up
  are running running
  step "status" podium status
  step "exec" podium exec -- sh -c 'hostname; ip -4 -o address show eth1'
  said '192.168.56.10'
  said '192.168.56.11'
  step "the private network" podium exec --on n1 -- bash -c 'exec 3<>/dev/tcp/192.168.56.11/22 && head -c 4 <&3'
  said 'SSH-'
  echo hello >file.txt
  step "copy" podium copy file.txt :/home/vagrant/file.txt
  step "ssh" podium ssh n2 -- cat file.txt
  said hello
  step "snapshot save" podium snapshot save later
  are running running
  step "snapshot list" podium snapshot list
  said later
  step "a file that later states have" podium exec -- sudo touch /root/changed
  step "reset" podium reset --yes
  ! has n1 changed || die "reset kept what came after the first good state"
  step "snapshot restore" podium snapshot restore later --yes
  [[ $(podium ssh n1 -- cat file.txt) == hello ]] || die "the snapshot has lost the file"
  step "snapshot delete" podium snapshot delete later
  step "halt" podium halt
  are stopped poweroff
  step "up of what was halted" up
  are running running
  step "vagrant ssh" own ssh n2 -c hostname
  said '^n2'
  step "vagrant halt n1" own halt n1
  step "up of what vagrant has halted" up
  are running running
  accidents
  step "destroy" podium destroy --yes
  nothing_left
  say "done: two real machines from up to destroy, and vagrant agreed at each point"
}

# mishaps is a run of one machine's accidents.
mishaps() {
  lab 1
  step "up" up
  are running running
  accidents
  step "destroy" podium destroy --yes
  nothing_left
  say "done: one real machine that was killed, saved, crashed, and whose port was taken"
}

# accidents: what happens to machines behind podium's back.
accidents() {
  say "a machine whose process is killed"
  kill -9 "$(pgrep -f "VirtualBoxVM --startvm $(id n1)")"
  becomes n1 aborted
  step "status" podium status
  said 'n1 .*stopped'
  step "up" up
  are running running

  say "a machine whose memory was saved"
  step "savestate" VBoxManage controlvm "$(id n1)" savestate
  step "status" podium status
  said 'n1 .*stopped'
  step "up" up
  are running running

  say "a machine that has crashed"
  podium exec --on n1 -- sudo /usr/local/sbin/power crash >"$work/out" 2>&1 || true
  becomes n1 gurumeditation
  step "status" podium status
  said 'n1 .*crashed'
  said 'podium up'
  step "halt" podium halt --on n1
  [[ $(state_of n1) == poweroff ]] || die "n1 is $(state_of n1) after halt"

  say "a port that another program has taken"
  local port
  port=$(sed -n 's/.*ssh_port: \([0-9]*\).*/\1/p' .podium/vagrant/Vagrantfile | head -n 1)
  ruby -rsocket -e 'server = TCPServer.new("127.0.0.1", ARGV[0].to_i); sleep' "$port" &
  local listener=$!
  step "reset" podium reset --yes
  podium exec --on n1 -- hostname >"$work/out" 2>&1 || die "n1 is not reached: $(cat "$work/out")"
  said n1
  kill "$listener"

  say "two podiums at once"
  podium halt >"$work/out" 2>&1 || die "halt: $(cat "$work/out")"
  podium up "${skip[@]}" >"$work/first" 2>&1 &
  local first=$!
  sleep 1
  if podium up "${skip[@]}" >"$work/out" 2>&1; then die "a second podium did not wait or refuse: $(cat "$work/out")"; fi
  said 'up'
  wait "$first" || die "the first podium failed: $(tail -n 20 "$work/first")"
  are running running
}

# kill_podium has podium killed at random moments of up and reset; the next one must come to its end each time.
kill_podium() {
  lab 2
  local round
  for round in 1 2 3 4; do
    timeout --signal=KILL "$((RANDOM % 120 + 5))" podium up "${skip[@]}" >"$work/out" 2>&1 || true
    say "killed $round: $(tail -n 1 "$work/out")"
  done
  step "up" up
  are running running
  for round in 1 2; do
    timeout --signal=KILL "$((RANDOM % 40 + 2))" podium reset --yes >"$work/out" 2>&1 || true
    say "killed in reset $round: $(tail -n 1 "$work/out")"
  done
  step "reset" podium reset --yes
  are running running
  step "destroy" podium destroy --yes
  nothing_left
  say "done: podium was killed 6 times"
}

# hardware NODE: what VirtualBox says of a machine, without what every machine has of its own.
hardware() {
  VBoxManage showvminfo "$(id "$1")" --machinereadable | sed -E -e 's/(UUID|hardwareuuid|VMStateChangeTime|macaddress[2-8])=.*/\1/' \
    -e '/^(Current)?Snapshot|^name=|^CfgFile=|^SnapFldr=|^LogFldr=|ImageUUID|^Forwarding|^"?SATA|Session|VideoMode|^rec_screen|NvramFile|property.*sport/d' | sort
}

# inside NODE: what a first boot leaves on a machine.
inside() {
  podium ssh "$1" -- sudo sh -c '"cat /etc/hostname /etc/mailname; cat /etc/hosts; ip -4 -o address show eth1 | cut -d\" \" -f 2-8; ls -l /etc/systemd/network; cat /etc/systemd/network/50-*; grep -c . ~vagrant/.ssh/authorized_keys; stat -c %A:%U:%n ~vagrant/.ssh ~vagrant/.ssh/authorized_keys"' |
    sed -E -e "s/\b$1\b/NODE/g" -e 's/192\.168\.56\.1[0-9]/ADDRESS/g' -e 's/ [A-Z][a-z]{2} +[0-9]+ [0-9:]+ / WHEN /'
}

# fast_boot: n1 by Vagrant, n2 by podium, and both compared while they run.
fast_boot() {
  lab 2
  local what
  step "up, the second machine by podium" up --fast-boot -v --no-baseline
  said 'n2/boot .*with the hardware of n1'
  ! grep -q 'left to Vagrant' "$work/out" || die "n2 was left to Vagrant: $(grep n2/boot "$work/out")"
  are running running
  for what in hardware inside; do
    "$what" n1 >"$work/$what.vagrant"
    "$what" n2 >"$work/$what.podium"
    [[ $(wc -l <"$work/$what.podium") -gt 5 ]] || die "nothing was compared: $(cat "$work/$what.podium")"
    diff -u --label "$what of n1, by Vagrant" --label "$what of n2, by podium" "$work/$what.vagrant" "$work/$what.podium" || die "they differ"
    say "$what: the same"
  done
  step "vagrant ssh n2" own ssh n2 -c hostname
  said '^n2'
  step "vagrant reload n2" own reload n2 --no-provision
  are running running
  step "destroy" podium destroy --yes
  nothing_left
  say "done: the machine by podium does not differ from the one by Vagrant"
}

figures() {
  lab 2
  step "up of two, each by vagrant" up --no-baseline
  cp .podium/vagrant/Vagrantfile "$work/Vagrantfile"
  step "podium status" podium status
  step "vagrant status" own status
  step "snapshot save" podium snapshot save figures
  step "reset --to figures" podium reset --to figures --yes
  restore_by_vagrant() { own snapshot restore n1 figures --no-provision && own snapshot restore n2 figures --no-provision; }
  step "vagrant snapshot restore of both" restore_by_vagrant
  step "destroy" podium destroy --yes
  step "up --fast-boot of two" up --no-baseline --fast-boot
  step "destroy" podium destroy --yes
  mkdir -p .podium/vagrant
  cp "$work/Vagrantfile" .podium/vagrant/
  step "vagrant up of two" own up --no-provision
  own destroy -f >"$work/out" 2>&1
}
