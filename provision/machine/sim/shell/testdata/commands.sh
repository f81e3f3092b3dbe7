printf '1.10\n1.9\n' | sort -V; printf 'b\na\nb\n' | sort -u; printf 'b\na\n' | sort
---
printf 'one two\nthree four\n' | cut -d' ' -f2; printf 'a:b:c\n' | cut -d: -f1,3; echo abcdef | cut -c2-4; printf 'x\n' | cut -d: -f2
---
printf 'l1\nl2\nl3\nl4\n' >f; head -n 2 f; tail -n 1 f; head -c 4 f; tail -n +3 f; head -n -1 f; wc -l f
---
printf 'foo bar\nbaz\nFoo\n' >f; grep foo f; grep -i foo f; grep -c o f; grep -v foo f; grep -q nope f || echo none; grep -o 'ba.' f; grep -E '^(foo|baz)' f; grep -x baz f; grep -w bar f; grep -F 'o b' f; grep -e baz -e Foo f
---
printf 'a.b\na+b\nab\n' >f; grep 'a.b' f; grep 'a\.b' f; grep -E 'a\+b' f; grep 'a+b' f; grep -E 'a+b' f; grep -m1 a f
---
printf 'k: v\n# c\n\nx=1\n' >f; sed 's/k/K/' f; sed -n '2p' f; sed '/^#/d; /^$/d' f; sed -E 's/([a-z])=([0-9])/\2=\1/' f; sed 's#/#_#g' <<<a/b/c; sed -i 's/x/y/' f; cat f; sed '$d' f; sed -n '/k/,/^$/p' f
---
sed 's/\(b\)/[\1]/g' <<<abab; sed -e 's/a/b/' -e 's/b/c/' <<<a; sed 's/X/\n/' <<<aXb
---
sed -E -e 's#^( *)- --kube-subnet-mgr$#&\n\1- --iface-can-reach=192.168.56.254#' -e 's#"Network": "[0-9./]+"#"Network": "10.1.0.0/16"#' <<'E'
        - --ip-masq
        - --kube-subnet-mgr
      "Network": "10.244.0.0/16",
E
---
sed -i -E 's/^([^#].*[[:blank:]]swap[[:blank:]].*)$/# podium: \1/' /dev/null; printf '/a / ext4 x\n/swap.img\tnone\tswap\tsw\t0\t0\n#/b none swap x\n' >f; grep -q -E '^[^#].*[[:blank:]]swap[[:blank:]]' f && echo has; sed -i -E 's/^([^#].*[[:blank:]]swap[[:blank:]].*)$/# podium: \1/' f; cat f
---
mkdir -p a/b; : >a/b/c; ls a; rm -r a; ls a 2>/dev/null || echo gone; echo x >s; cp s t; mv t u; cat u; ln -s u l; cat l; [ -L l ] && echo link; rm l; cat u
---
install -m 0640 -D /dev/null x/y/z; ls -l x/y/z | cut -c1-10; install -d -m 0700 dd; ls -ld dd | cut -c1-10; echo t | install -m 0600 /dev/stdin f; cat f; ls -l f | cut -c1-10; chmod 4755 f; ls -l f | cut -c1-10
---
d=$(mktemp -d); [ -d "$d" ] && echo dir; t=$(mktemp ./x.XXXXXX); [ -f "$t" ] && ls -l "$t" | cut -c1-10; rm -r "$d"
---
echo data | sha256sum; echo data >f; sha256sum f >sums; sha256sum -c sums; echo bad >f; sha256sum --check --status sums; echo $?; printf hi | base64; echo aGk= | base64 -d; echo
---
basename /a/b.txt .txt; dirname /a/b/c; dirname x; dirname /x
---
printf 'a b\n' | tee x y >/dev/null; cat x y; echo z >n; cmp -s x n || echo differ; cmp -s x y && echo same
---
mkdir t; echo 1 >t/a; echo 2 >t/b; tar -czf t.tgz t; rm -r t; tar -xzf t.tgz; cat t/a t/b; mkdir o; tar -xzf t.tgz -C o --strip-components 1; ls o
---
test -e /nosuch; echo $?; [ -d / ]; echo $?; : >e; [ -s e ] || echo empty; [ -w e ] && echo w
---
env X=1 bash -c 'echo $X'; id -u; true; false || echo f; echo a | cat - ; printf 'a\nb\n' | paste -sd,
---
x=0; until x=$((x + 1)); ((x >= 3)); do :; done; echo $x; ls -d .
---
cat f 2>&1 | grep -c 'No such'; cp x y 2>/dev/null; echo $?; mkdir d; mkdir d 2>/dev/null; echo $?; rm -r d; rm nope 2>/dev/null; echo $?; rm -f nope; echo $?; mv a b 2>/dev/null; echo $?; mkdir d; cat d 2>/dev/null; echo $?
---
printf 'x' >f; cat f f; echo; wc -c <f; head -c 100 f; echo; split_me=$(<f); echo "$split_me"
---
mkdir -p r/s; echo needle >r/s/f; grep -c needle r/s/f; grep nope r/s/f; echo $?; grep x nofile 2>/dev/null; echo $?
