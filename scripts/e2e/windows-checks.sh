#!/usr/bin/env bash
# windows-checks.sh: what windows.sh runs inside Wine's system: podium.exe as a user of Windows calls it, with the
# simulator, then the tests of the packages that are named. The exit code is 0 when all was as expected.
#
# usage: windows-checks.sh short|smoke|all|test [PACKAGE...]
#
# Wine cannot show:
#   who may read a file (it keeps no access lists), virus scanners that hold files open, SmartScreen and AppLocker;
#   Ctrl-C while podium reads single keys, as its live view does (Wine's terminals drop it there), and arrow keys;
#   Korean code pages of a real console; NTFS: names that end with a dot or a space, links, paths above 260 characters;
#   VirtualBox, vagrant.exe, PowerShell: what podium does with them runs in tests with stand-ins.
set -euo pipefail
export WINEPATH='Z:\share' # PATH, for cmd.exe
what=$1
shift

failed=0
ok() { printf 'ok      %s\n' "$*"; }
bad() {
  printf 'FAILED  %s\n' "$*"
  failed=$((failed + 1))
}
# is WHAT COMMAND...
is() {
  if "${@:2}"; then ok "$1"; else bad "$1"; fi
}

# Output goes to files, never to a pipe: Wine's services and the simulator would hold it open.

# podium CODE TEXT ARGUMENTS...: podium.exe must end with CODE and say TEXT; $input comes to it by a pipe.
podium() { says "podium ${*:3}" "$1" "$2" /share/podium.exe "${@:3}"; }

# cmd CODE TEXT LINE: the same for a line that is typed at cmd.exe.
cmd() {
  printf '@echo off\r\n%s\r\n' "$3" >/share/line.bat
  says "$3" "$1" "$2" cmd /c 'Z:\share\line.bat'
}

# says NAME CODE TEXT PROGRAM ARGUMENTS...
says() {
  local name=$1 want=$2 text=$3 code=0 begin=$SECONDS
  shift 3
  printf '%s' "${input:-}" | timeout -k 5 120 wine "$@" >/share/out 2>&1 || code=$?
  if [[ $code == "$want" ]] && grep -aqF -e "$text" /share/out; then
    ok "$name ($((SECONDS - begin)) s)"
  else
    bad "$name: exit code $code, wanted $want and \"$text\""
    cat -v /share/out
  fi
}

# console CODE TEXT KEYS ARGUMENTS...: the same at a console, where KEYS are typed when it asks.
console() {
  local want=$1 text=$2 keys=$3 code=0 pid
  shift 3
  : >/share/out
  # script makes the terminal, and wants one that does not end for its own input.
  timeout -k 5 60 script -qefc "wine /share/podium.exe $*" /share/out <&"$keyboard" >/dev/null 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null && ! grep -aqF '[y/N]' /share/out; do sleep 0.1; done
  [[ -z $keys ]] || printf '%b' "$keys" >&"$keyboard"
  wait "$pid" || code=$?
  if [[ $code == "$want" ]] && grep -aqF -e "$text" /share/out; then
    ok "at a console: podium $*${keys:+, typed $keys}"
  else
    bad "at a console: podium $*${keys:+, typed $keys}: exit code $code, wanted $want and \"$text\""
    cat -v /share/out
  fi
}

smoke() {
  mkfifo /tmp/keyboard
  exec {keyboard}<>/tmp/keyboard
  local lab="/wine/drive_c/users/홍길동/실습 1"
  mkdir -p "$lab"
  cd "$lab"
  podium 0 'podium' version
  podium 0 'wrote lab.yaml' init docker
  sed -i 's/$/\r/; 1s/^/\xef\xbb\xbf/' lab.yaml # as Notepad writes it
  podium 0 'is valid' validate
  podium 0 'is ready' up --provider sim
  podium 0 'running  ok' status
  podium 0 '"ssh": true' status -o json
  podium 0 'Linux' exec -- uname
  input=한글 podium 0 '한글' exec -- cat
  podium 1 'exit code 7' exec -- sh -c 'exit 7'
  cmd 0 '/dev/' 'podium exec -- "df -h / | tail -1"'
  cmd 0 'box | 12' 'type lab.yaml | podium exec -- wc -l'
  cmd 0 'a  b c' 'podium exec -- echo "a  b" c'
  cmd 0 'is valid' 'podium validate ".\"' # as the shell completes a folder
  printf '한글\r\n' >'노트 1.txt'
  podium 0 '/tmp/n.txt on' copy 'C:\users\홍길동\실습 1\노트 1.txt' ':/tmp/n.txt'
  podium 0 'from' copy ':/tmp/n.txt' '.\zurück\{node}.txt'
  is "a file there and back" cmp -s '노트 1.txt' zurück/*.txt
  podium 0 'is back at' reset --yes
  podium 0 'nothing to do' up
  podium 2 'unknown command' nosuch
  podium 0 'removed' destroy --yes
  is "destroy leaves nothing of the simulator" test ! -e .podium/sim
  podium 0 'is ready' up --provider sim --no-baseline
  console 130 'interrupted' '\003' destroy
  console 1 'not done' '\r' destroy
  console 0 'removed' 'y\r' destroy
  podium 3 'virtualbox-missing' doctor 'Z:\repository\labs\k8s-basic'
  podium 3 '설치되어 있지 않습니다' doctor --lang ko 'Z:\repository\labs\k8s-basic' # UTF-8 in a pipe
  console 3 '설치되어 있지 않습니다' '' doctor --lang ko                            # UTF-16 at a console
}

# What cannot pass under Wine: TestCollect asks PowerShell; TestAgent needs sockets of the file system.
skip='TestCollect|TestAgent'

# run_tests PACKAGE
run_tests() {
  local program=/share/tests/${1//\//-}.exe log=/share/tests/${1//\//-}.log begin=$SECONDS code=0 flags=(-test.v -test.timeout 15m -test.skip "$skip")
  [[ -e $program ]] || return 0 # its tests are for other systems
  [[ $what != short ]] || flags+=(-test.short)
  [[ -z $PODIUM_E2E_RUN ]] || flags+=(-test.run "$PODIUM_E2E_RUN")
  cd "/repository/$1"
  timeout -k 10 900 wine "$program" "${flags[@]}" >"$log" 2>&1 </dev/null || code=$?
  local line
  line="$1: $(grep -ac '^--- PASS' "$log" || true) passed, $(grep -ac '^--- FAIL' "$log" || true) failed, $(grep -ac '^--- SKIP' "$log" || true) skipped ($((SECONDS - begin)) s)"
  if ((code == 0)); then
    ok "$line"
  else
    bad "$line, exit code $code"
    # What a test says comes before the line that says how it ended.
    grep -avE '^=== |^ *--- (PASS|SKIP)' "$log" | grep -aE -B 12 'FAIL:|^panic:' | head -n 300 || tail -n 50 "$log"
  fi
}

# Wine's server ends when nothing runs, and a program that starts in that moment finds its socket closed. This one stays
# until the namespaces end.
wineserver --persistent

[[ $what == test ]] || smoke
for package in "$@"; do run_tests "$package"; done
printf '%s\n' "$failed failed, $SECONDS s"
((failed == 0))
