echo hello "$((1 + 2))" $'a\tb' 'single $x' "double $((7 % 4))"
---
[[ ! -f /nosuch || a == b ]] && echo yes || echo no
---
[[ a == a && b == c || d == d ]] && echo yes; [[ ! a == b && ! c == c ]] || echo no; [[ ! ( a == a || b == c ) ]] || echo paren
---
[[ a == b || c == d && e == e ]]; echo $?; [[ ! a == a || ! b == c ]]; echo $?
---
set -euo pipefail; f() { false; echo not here; }; f; echo after
---
set -e; if false; then :; fi; false || true; ! true; echo still here; false; echo gone
---
set -u; echo "${x:-default}" "${x-d}" "${x:+set}"; x=; echo "${x:-empty}" "${x-none}"; echo "$y"; echo after
---
x=abc.def.ghi; echo "${x%.*}" "${x%%.*}" "${x#*.}" "${x##*.}" "${x/abc/X}" "${x//./-}" "${#x}" "${x:4:3}" "${x^^}" "${x/#abc/B}" "${x/%ghi/E}"
---
a=(one "two three" four); echo "${#a[@]}" "${a[1]}" "${a[@]:1}" "${!a[@]}"; a+=(five); for i in "${a[@]}"; do echo "<$i>"; done; unset 'a[0]'; echo "${a[*]}"
---
declare -A m=([k]=v [x]="y z"); echo "${m[k]}" "${m[x]}" "${#m[@]}"; m[n]=1; for k in k n x; do echo "$k=${m[$k]}"; done
---
f() { local x=inner; echo "$x $1 $#"; return 3; }; x=outer; f a b; echo "$? $x"
---
cat <<END
plain $((2*3)) $(echo sub) \$escaped
END
cat <<'END'
quoted $x $(no)
END
	cat <<-END
	tabs go
	END
cat <<<"here string"
---
pause=img:1
cat <<END
${pause:+
[plugins.'a'.b]
  sandbox = '$pause'}
last
END
---
pause=x; plugins="bin_dir = '/opt'"; cat <<END
${pause:+  sandbox_image = \"$pause\"}
  $plugins
${none:+never}
END
---
false | true; echo "${PIPESTATUS[@]}"; set -o pipefail; false | true; echo $?
---
printf '%s-%d|%5s|%-5s|%05d\n' a 5 b c 42; printf '%s\n' one two three; printf '%q\n' "a b'c"; printf -v v '%03d' 7; echo "$v"; printf '%b\n' 'x\ty'; printf '%%\n'; printf '%x %o %c\n' 255 8 hello
---
IFS=: read -r a b c <<<"x:y z:w:v"; echo "$a|$b|$c"; while read -r line; do echo "<$line>"; done; read -r x || echo end
---
while IFS= read -r l; do echo "[$l]"; done < <(printf 'p\n  q  \nr'); echo $?
---
mapfile -t lines; echo "${#lines[@]} ${lines[1]}"
---
for ((i = 0; i < 3; i++)); do echo -n "$i "; done; echo; for i in {1..3} a{b,c}; do echo -n "$i "; done; echo; i=5; while ((i-- > 3)); do echo $i; done; until ((i > 5)); do ((i += 2)); done; echo $i
---
for i in 1 2 3; do for j in a b; do [[ $j == b ]] && continue 2; [[ $i == 3 ]] && break 2; echo $i$j; done; done
---
case foobar in foo) echo 1;; f*r) echo 2;; *) echo 3;; esac; case x in [a-m]) echo low;; [!a-m]) echo high;; esac; case "a b" in a|b) echo no;; "a b") echo yes;; esac
---
case 22/404 in 22/40[1347] | 22/410) echo moved;; *) echo other;; esac; case 23/000 in 23/*) echo full;; esac
---
x=5; ((x > 3)) && echo big; ((x == 0)) || echo nonzero; echo $((x ** 2 / 3)) $((x > 3 ? 10 : 20)) $((0x1f + 010)) $((x & 4 | 8)); let x+=2; echo $x
---
trap 'echo bye $?' EXIT; echo hi; exit 3
---
trap 'echo err' ERR; false; true; (exit 2); echo done
---
(trap 'echo sub' EXIT; echo in); echo out; f() ( echo subshell; exit 4 ); f; echo $?
---
eval 'x=1; echo $x'; y='echo from var'; $y; eval "$y"
---
x=$(echo a; exit 5); echo "$? $x"; x=$(false) || echo failed; echo "$(echo nested "$(echo deep)")"; echo `echo back`
---
exec 3>out; echo three >&3; exec 3>&-; cat out; echo x >a; echo y >>a; cat <a; wc -l <a; { echo b1; echo b2; } >b 2>&1; cat b; ls nosuch 2>/dev/null || echo none; echo err >&2 2>/dev/null
---
{ echo out; echo err >&2; } 2>&1 | sort; { echo o; echo e >&2; } &>both; sort both
---
for f in f1.txt f2.txt g.log .hid; do : >$f; done; mkdir d; : >d/x; echo *.txt; echo [fg]*; echo d/*; echo *.nope; shopt -s nullglob; echo *.nope end; shopt -s dotglob; echo .h*; echo */x
---
sleep 0.05 & p=$!; wait $p; echo $?; (exit 7) & wait $!; echo $?; false & true & wait; echo $?
---
sleep 10 & p=$!; kill $p; wait $p; echo $?; kill -0 $p 2>/dev/null || echo gone
---
set -m; (sleep 10; echo no) & p=$!; kill -TERM -- -$p; wait $p 2>/dev/null; echo $?
---
trap 'echo got' USR1; kill -USR1 $$; echo after; trap - USR1; trap '' TERM; kill $$; echo survived
---
f() { echo "${FUNCNAME[0]} $LINENO"; }; f; echo ${BASH_SOURCE[0]:-none}; echo "$#"; set -- a "b c"; echo "$# $2"; shift; echo "$1"; echo "$*" "$@"
---
command -v cd; command -v nosuchthing || echo no; command echo via command; builtin echo via builtin
---
umask 077; : >p; umask; ls -l p | cut -c1-10; umask 022; mkdir m; ls -ld m | cut -c1-10
---
x='a  b'; echo $x; echo "$x"; set -f; echo *; set +f; y="*"; echo "$y"; z=(a b); echo "${z[@]/#/p}" "${z[*]}"
---
text=$'one\ntwo\n'; echo "${text//$'\n'/,}"; a=${text%$'\n'}; echo "${#a}"; while read -r l; do echo "l:$l"; done <<<"$a"
---
[ 1 -lt 2 ] && [ "a" = "a" -a 2 -gt 1 ] && echo and; [ -z "" ] && test -n x && echo str; [ ! -e /nosuch ] && echo not; [ a ] && echo single; [ 1 -eq x ] 2>/dev/null; echo $?
---
[[ abc =~ ^a(b)(c)$ ]] && echo "${BASH_REMATCH[1]}${BASH_REMATCH[2]}"; re='^[0-9.]+$'; [[ 10.0.2.15 =~ $re ]] && echo ip; [[ "a.c" =~ a"."c ]] && echo lit; [[ abc =~ a"."c ]] || echo nolit
---
[[ "x y" == x* ]] && echo glob; [[ x* == "x*" ]] && echo quoted; p='x*'; [[ xyz == $p ]] && echo var; [[ xyz == "$p" ]] || echo noexpand; [[ -z "" && -n a ]] && echo ok; [[ 10 -gt 9 ]] && echo num; [[ b > a ]] && echo after
---
set -e; x=$(false; echo kept); echo "$x"; f() { false; true; }; f && echo f ok; y=$(exit 3) || echo "code $?"; (false) || echo sub; echo end
---
set -eu; f() { local a=$(false); echo "local hides"; }; f; b=$(false); echo never
---
readonly r=1; (r=2) 2>/dev/null; echo $?; export E=exported; bash -c 'echo $E'; F=temp bash -c 'echo $F'; echo "${F:-unset}"; unset E; bash -c 'echo ${E:-gone}'
---
cat /dev/null; echo null >/dev/null; echo $?; head -c 3 /dev/zero | wc -c; echo "a b" | { read -r x y; echo "$y $x"; }
---
echo one; exit_code() { return "$1"; }; exit_code 0 && echo zero; exit_code 9 || echo "nine $?"; ! exit_code 1 && echo negated
---
a=1; { a=2; }; echo $a; (a=3); echo $a; echo x | { a=4; cat >/dev/null; }; echo $a
---
f() { echo "args:$#"; for x; do echo "$x"; done; }; f; f "a b" c; f "" x; g() { f "$@"; }; g 1 "2 3"
---
exec 9>lock; flock -n 9 && echo locked; (flock -n 9 && echo shared) ; flock -n lock true || echo busy; exec 9>&-; flock -n lock echo free
---
echo "${x:=assigned}" $x; echo ${y:?missing} 2>/dev/null; echo never
---
n=3; until ((n-- <= 0)); do echo $n; done; echo $n; ((n)) && echo true; echo $((n += 5))
---
list="a b c"; for w in $list; do echo -n "[$w]"; done; echo; IFS=,; set -- 1,2 3; echo "$*"; v=x,y; for w in $v; do echo "<$w>"; done
---
timeout 0.1 sleep 5; echo $?; timeout 5 echo quick; env A=1 bash -c 'echo $A'
---
bash -c 'echo in session; exit 3'; echo $?; bash -c 'exit 300'; echo $?; bash -c 'kill -9 $$'; echo $?
---
exec 8<&0 </dev/null; read -r l || echo empty; read -r l <&8; echo "$l"; exec 8<&-
---
x=1 y=2; echo $x$y; x+=5; echo $x; arr=(); arr+=(z); echo ${#arr[@]} "${arr[@]:-none}"; e=(); echo "${#e[@]}" "${e[@]}" end
---
source /dev/stdin <<<'echo sourced; v=here'; echo $v; . <(echo 'echo procsub'); printf 'return 5\n' >r; . ./r; echo $?
---
echo $(( $(printf 4) * 2 )); s="a'b\"c"; echo "$s"; echo 'it'\''s'; echo "tab	end"; echo -e 'a\nb' | tail -1; echo -n x; echo
---
cd / && pwd && cd - >/dev/null && cd nosuch 2>/dev/null || echo "no dir"; mkdir -p p/q && cd p/q && basename "$PWD"; cd ..; basename "$PWD"
---
true && { echo a; false; } || echo b; if ! false; then echo c; elif true; then echo d; else echo e; fi; if false; then :; else echo f; fi
---
wait -n 2>/dev/null; (sleep 0.05; exit 4) & sleep 0.4 & wait -n; echo $?; kill %2 2>/dev/null; kill $! 2>/dev/null; wait; echo done
---
printf 'a\0b\0' | while IFS= read -r -d '' x; do echo "$x"; done; read -r -n 2 z; echo "$z"; read -r -t 1 w; echo "$w"
---
printf '%(%Y)T\n' 0; printf '%s ' {a..e} {01..03}; echo; echo {x,y}{1,2}; echo a{,b}c
---
f() { if [[ $1 == 0 ]]; then return; fi; echo $1; f $(($1 - 1)); }; f 3
---
${nothing-} echo plain; "" 2>/dev/null; echo $?; nosuchcmd 2>/dev/null; echo $?; /tmp 2>/dev/null; echo $?
---
a='x y'; b=$a; c="$a"z; echo "$b|$c"; d=~; [[ $d == /* ]] && echo home; echo ~/x | grep -c root
---
x=1; echo "${x:+'a $x'} ${x:-"q"} ${y:-"d $x"} ${y:-\"e\"} ${z:-'single $x'}" ${z:-'single $x'}; n=0; f() { echo "ran $((n += 1))" >&2; echo v; }; echo "${x:-$(f)}" "${w:-$(f)}" ${x:+$(echo c d)}
---
declare -A m=([a]=1 [b]="2 3"); for k in "${!m[@]}"; do echo "$k=${m[$k]}"; done | sort; printf '%s\n' "${m[@]}" | sort; unset 'm[a]'; echo ${#m[@]}; [[ -v m[b] ]] && echo has; [[ -v m[a] ]] || echo hasnot
---
pause=i; cat <<END
a ${pause:+.\'x\' = "y" \$z} ${nope:-"d" 'e'} ${pause:?err}
END
---
a="${1:-x}" b="${2-}" c=${3:-"p q"}; echo "$a|$b|$c"; set -u; echo "${arr[@]+"${arr[@]}"}" end; arr=(1 "2 3"); for i in "${arr[@]+"${arr[@]}"}"; do echo "<$i>"; done
---
url=https://h/x/; echo "${url%/}" "${url#*//}" "${url##*/}" "${url%%/*}"; p=/a/b.tar.gz; echo "${p##*/}" "${p%/*}" "${p%.*}" "${p%%.*}"; v="a b  c"; echo "${v// /_}"; w=abc; echo "${w:1}" "${w: -1}" "${w:0:2}" "${w^}" "${w,,}"
---
# The ERR trap and functions, with and without -E.
trap 'echo "ERR $?"' ERR; f() { false; echo in; return 3; }; f; (exit 4); { false; }; x=$(false); false | true; ! true; if false; then :; fi; false || (exit 2); echo end
---
set -E; trap 'echo "ERR $?"' ERR; f() { false; echo in; return 3; }; f; (false; exit 4); { false; }; x=$(false; echo y); echo end
---
set -e; trap 'echo "ERR $?"' ERR; f() { false; echo in; }; f; echo not here
---
set -eE; trap 'echo "ERR $?"' ERR; f() { false; echo in; }; f; echo not here
---
set -e; trap 'echo "ERR $?"' ERR; (false); echo not here
---
set -eE; trap 'echo "ERR $?"; exit 7' ERR; (false; true); echo not here
---
trap 'echo outer' ERR; f() { trap 'echo inner' ERR; false; }; f; false
---
trap 'echo ERR' ERR; for i in 1; do false; done; while true; do false; break; done; case x in x) false ;; esac; if true; then false; fi; [[ a == b ]]; ((0)); echo end
---
trap 'echo ERR' ERR; false; trap - ERR; false; echo end
---
A='x'\''y'; B=a\ b C=\$HOME; export D=\"q\"; local_() { local E=it\'s; echo "$E"; }; local_; F=(a\ b \'c\'); G[1]=d\ e; A+=\!; H="a"\\"b"; printf '<%s>\n' "$A" "$B" "$C" "$D" "${F[@]}" "${G[1]}" "$H"
---
x='a b'; case "a b" in a\ b) echo one ;; esac; case a\ b in "$x") echo two ;; esac; [[ a\ b == "a b" ]] && echo three; [[ "a*b" == a\*b ]] && echo four; y=${nosuch:-a\ b}; echo "$y"; echo ${nosuch:-c\"d}
---
cat <<<a\ b; echo x >a\ file; cat "a file"; x=~; [[ $x == "$HOME" ]] && echo home
---
set -e; { echo a; } >/nosuch/x; echo still
