#!/bin/bash
# probe-jenkins.sh: may the administrator, and nobody else, come in? While Jenkins starts it answers 503. Checks once.
#
# Takes:  PODIUM_JENKINS_PORT
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/secret.sh"

ask() { curl --silent --show-error --noproxy '*' --max-time 20 --output /dev/null --write-out '%{http_code}' "$@" "http://127.0.0.1:$PODIUM_JENKINS_PORT/api/json"; }

stranger=$(ask)
[[ $stranger == 403 ]] || die "Jenkins answers a stranger with $stranger instead of 403" "see: journalctl -u jenkins"
# The password goes by standard input, where no list of processes shows it.
admin=$(printf 'user = "admin:%s"\n' "$(secret jenkins)" | ask --config -)
[[ $admin == 200 ]] || die "Jenkins answers its administrator with $admin instead of 200" "see: journalctl -u jenkins; /var/lib/jenkins/podium.yaml"
