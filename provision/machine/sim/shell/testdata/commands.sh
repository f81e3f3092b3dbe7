printf 'b\na\nc\na\n' | sort | uniq -c | sed 's/^ *//'; printf '10\n9\n2\n' | sort -n; printf 'b 2\na 1\n' | sort -k2 -n -r; printf '1.10\n1.9\n' | sort -V; printf 'b\na\nb\n' | sort -u
---
printf 'one two\nthree four\n' | cut -d' ' -f2; printf 'a:b:c\n' | cut -d: -f1,3; echo abcdef | cut -c2-4; printf 'x\n' | cut -d: -f2
---
printf 'hello\n' | tr a-z A-Z; printf 'a1b2\n' | tr -d 0-9; printf 'aabb\n' | tr -s a; echo 'a b' | tr ' ' '\n'; echo abc | tr -c 'a\n' x
---
printf 'l1\nl2\nl3\nl4\n' >f; head -n 2 f; tail -n 1 f; head -c 4 f; tail -n +3 f; head -n -1 f; wc -l f; tac f | head -1
---
printf 'foo bar\nbaz\nFoo\n' >f; grep foo f; grep -i foo f; grep -c o f; grep -v foo f; grep -n baz f; grep -q nope f || echo none; grep -o 'ba.' f; grep -E '^(foo|baz)' f; grep -x baz f; grep -w bar f; grep -F 'o b' f; grep -e baz -e Foo f
---
printf 'a.b\na+b\nab\n' >f; grep 'a.b' f; grep 'a\.b' f; grep -E 'a\+b' f; grep 'a+b' f; grep -E 'a+b' f; grep -A1 'a\.b' f; grep -B1 '^ab' f; grep -m1 a f; grep -l a f; grep -L zzz f
---
printf 'k: v\n# c\n\nx=1\n' >f; sed 's/k/K/' f; sed -n '2p' f; sed '/^#/d; /^$/d' f; sed -E 's/([a-z])=([0-9])/\2=\1/' f; sed 's#/#_#g' <<<a/b/c; sed -i 's/x/y/' f; cat f; sed '$d' f; sed -n '/k/,/^$/p' f
---
sed 's/a/&&/2' <<<"aXa"; sed 's/\(b\)/[\1]/g' <<<abab; sed -e 's/a/b/' -e 's/b/c/' <<<a; sed '1i top' <<<x; sed '$a end' <<<x; sed 'y/abc/xyz/' <<<cab; sed -n '$=' <<<$'1\n2'; sed '2q' <<<$'a\nb\nc'; sed 's/X/\n/' <<<aXb
---
sed -E -e 's#^( *)- --kube-subnet-mgr$#&\n\1- --iface-can-reach=192.168.56.254#' -e 's#"Network": "[0-9./]+"#"Network": "10.1.0.0/16"#' <<'E'
        - --ip-masq
        - --kube-subnet-mgr
      "Network": "10.244.0.0/16",
E
---
sed -i -E 's/^([^#].*[[:blank:]]swap[[:blank:]].*)$/# podium: \1/' /dev/null; printf '/a / ext4 x\n/swap.img\tnone\tswap\tsw\t0\t0\n#/b none swap x\n' >f; grep -q -E '^[^#].*[[:blank:]]swap[[:blank:]]' f && echo has; sed -i -E 's/^([^#].*[[:blank:]]swap[[:blank:]].*)$/# podium: \1/' f; cat f
---
mkdir -p a/b; touch a/b/c; ls a; rm -r a; ls a 2>/dev/null || echo gone; echo x >s; cp s t; mv t u; cat u; ln -s u l; readlink l; cat l; [ -L l ] && echo link; rm l; cat u; ln u h; echo y >>h; cat u
---
install -m 0640 -D /dev/null x/y/z; stat -c '%a %s' x/y/z; install -d -m 0700 dd; stat -c %a dd; echo t | install -m 0600 /dev/stdin f; cat f; stat -c %a f; chmod u+x,g-r f; stat -c %a f; chmod 4755 f; stat -c %a f
---
d=$(mktemp -d); [ -d "$d" ] && echo dir; t=$(mktemp ./x.XXXXXX); [ -f "$t" ] && stat -c %a "$t"; rmdir "$d" && echo removed; mktemp -u | grep -c tmp.
---
echo data | sha256sum; printf data | md5sum; echo data >f; sha256sum f >sums; sha256sum -c sums; echo bad >f; sha256sum --check --status sums; echo $?; printf hi | base64; echo aGk= | base64 -d; echo
---
seq 3; seq 2 2 6; seq -s, 3; basename /a/b.txt .txt; dirname /a/b/c; dirname x; printf '%s\n' /a//b/../c; realpath -m /a//b/../c
---
echo a b c | xargs -n1 echo; printf 'x\ny\n' | xargs -I{} echo '<{}>'; printf '' | xargs -r echo no; printf 'p q' | xargs echo
---
mkdir -p d/e; touch d/a.txt d/e/b.txt d/c.log; find d -name '*.txt' | sort; find d -type d | sort; find d -maxdepth 1 -type f | sort; find d -name '*.log' -delete; ls d; find d -type f -exec echo {} \; | sort
---
printf 'a b\n' | tee x y >/dev/null; cat x y; echo more | tee -a x >/dev/null; wc -l <x | tr -d ' '; echo z >n; cmp -s x n || echo differ; diff -q x x && echo same
---
mkdir t; echo 1 >t/a; echo 2 >t/b; tar czf t.tgz t; rm -r t; tar xzf t.tgz; cat t/a t/b; mkdir o; tar -xf t.tgz -C o --strip-components 1; ls o; tar tzf t.tgz | sort; gzip -c t/a | gunzip
---
test -e /nosuch; echo $?; [ -d / ]; echo $?; touch e; [ -s e ] || echo empty; [ -w e ] && echo w; truncate -s 5 e; stat -c %s e; touch -d @1000 old; [ e -nt old ] && echo newer
---
date -u -d @0 +%Y-%m-%dT%H:%M:%SZ; date -u -d @86400 +%F; date -u -d '2026-01-02 03:04:05' +%s
---
env X=1 printenv X; printenv NOPE; echo $?; id -u; yes | head -n 2; true; false || echo f; expr 1 + 1 2>/dev/null >/dev/null; echo a | cat - ; rev <<<abc; printf 'a\nb\n' | paste -sd,; comm -12 <(printf 'a\nb\n') <(printf 'b\nc\n')
---
x=0; until x=$((x + 1)); ((x >= 3)); do :; done; echo $x; df -h --output=avail / | tail -n 1 | grep -c .; ls -d . ; printf 'b\na\n' >f; sort -o f f; cat f; nl f | tr -s ' \t' ' '
---
cat f 2>&1 | grep -c 'No such'; cp x y 2>/dev/null; echo $?; mkdir d; mkdir d 2>/dev/null; echo $?; rmdir d; rm nope 2>/dev/null; echo $?; rm -f nope; echo $?; mv a b 2>/dev/null; echo $?; cat d 2>/dev/null; echo $?
---
printf 'x' >f; cat f f; echo; wc -c <f | tr -d ' '; head -c 100 f; echo; split_me=$(<f); echo "$split_me"; dd if=/dev/zero of=z bs=1024 count=3 2>/dev/null; stat -c %s z; dd if=f bs=1 count=1 2>/dev/null; echo
---
grep -rl needle . ; mkdir -p r/s; echo needle >r/s/f; grep -r needle r; grep -rl needle r; grep -c needle r/s/f; grep nope r/s/f; echo $?; grep x nofile 2>/dev/null; echo $?; grep -s x nofile; echo $?
