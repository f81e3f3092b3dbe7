# shellcheck shell=bash
# shellcheck disable=SC2154 # variables are set in one file of lib/ and read in another
# certificates.sh: certificates that have expired or are about to, and the kubelet's own. Needs step.sh and repair.sh.

# Before a class that takes a term: what expires within this many days is renewed.
days=30

# expiring FILE: whether its certificate is no good any more, or soon will be.
expiring() { ! openssl x509 -in "$1" -noout -checkend "$((days * 24 * 3600))" >/dev/null 2>&1; }

# until_when FILE: "expired on ..." or "expires on ...".
until_when() {
  local day
  day=$(openssl x509 -in "$1" -noout -enddate 2>/dev/null) || {
    echo "cannot be read"
    return
  }
  if openssl x509 -in "$1" -noout -checkend 0 >/dev/null; then
    echo "expires on ${day#*=}"
  else
    echo "expired on ${day#*=}"
  fi
}

# certificate_of KUBECONFIG FILE: writes the client's certificate into the file, whether it stands in the kubeconfig or
# in a file of its own.
certificate_of() {
  local data
  data=$(sed -n 's/^ *client-certificate-data: *//p' "$1")
  if [[ -n $data ]]; then
    base64 --decode <<<"$data" >"$2"
  else
    cat "$(sed -n 's/^ *client-certificate: *//p' "$1")" >"$2" 2>/dev/null || : >"$2"
  fi
}

# kubeconfig_expiring KUBECONFIG: the same as expiring; until_when can be asked of $extracted then.
extracted=$keep/run/certificate.${0##*/}
kubeconfig_expiring() {
  mkdir -p "$keep/run"
  certificate_of "$1" "$extracted"
  expiring "$extracted"
}

# The certificate that the kubelet serves with is its own work: it makes a new one when there is none.
repair_serving_certificate() {
  local file=/var/lib/kubelet/pki/kubelet.crt
  [[ -f $file ]] && expiring "$file" || return 0
  if wrong "the kubelet's serving certificate $(until_when "$file")" "the kubelet makes a new one"; then
    rm -f "$file" "${file%.crt}.key"
    systemctl restart kubelet.service
  fi
}
