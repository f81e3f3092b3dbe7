# shellcheck shell=bash
# expired.sh: for checks that wait in vain when the cluster has lain on a shelf too long. Needs step.sh.

# hopeless_when_expired WHAT CERTIFICATE: ends the check when the certificate, if there is one, is not good any more.
hopeless_when_expired() {
  if [[ ! -f $2 ]] || openssl x509 -in "$2" -noout -checkend 0 >/dev/null 2>&1; then
    return
  fi
  hopeless "$1 on $PODIUM_NODE expired on $(openssl x509 -in "$2" -noout -enddate | cut -d = -f 2)" "renew it: podium repair"
}
