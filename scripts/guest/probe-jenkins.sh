#!/bin/bash
# probe-jenkins.sh: does Jenkins show its login page? While it starts it answers 503. Checks once.
#
# Takes:  PODIUM_JENKINS_PORT
. "$(dirname "$0")/lib/step.sh"

curl --fail --silent --show-error --noproxy '*' --max-time 20 --output /dev/null "http://127.0.0.1:$PODIUM_JENKINS_PORT/login"
