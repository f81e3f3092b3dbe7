#!/bin/bash
# jenkins.sh: the Jenkins controller, long-term support line, on Java 21.
#
# Takes:  PODIUM_NODE, PODIUM_ADDRESS, PODIUM_JENKINS_PORT; optional: PODIUM_MIRROR_JENKINS (instead of
#         https://pkg.jenkins.io), PODIUM_MIRROR_ADOPTIUM (instead of https://packages.adoptium.net/artifactory),
#         PODIUM_KEY_JENKINS and PODIUM_KEY_ADOPTIUM (fingerprints), the proxy's
# Gives:  jenkins_url, jenkins_version; until the first login also jenkins_user, secret_jenkins_password
# Alone:  sudo PODIUM_NODE=ops PODIUM_ADDRESS=192.168.56.14 PODIUM_JENKINS_PORT=8080 bash jenkins.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"

# Debian 12 ends at Java 17, which Jenkins no longer runs on: there Java comes from Adoptium, as Jenkins' page says.
install_java() {
  local ID VERSION_ID VERSION_CODENAME url=${PODIUM_MIRROR_ADOPTIUM:-https://packages.adoptium.net/artifactory}
  # shellcheck source=/dev/null
  . /etc/os-release
  if [[ $ID-$VERSION_ID != debian-12 ]]; then
    apt_install fontconfig openjdk-21-jre-headless
    return
  fi
  apt_key "${url%/}/api/gpg/key/public" /etc/apt/keyrings/podium-adoptium.asc "${PODIUM_KEY_ADOPTIUM:-}"
  apt_source podium-adoptium <<END
Types: deb
URIs: ${url%/}/deb
Suites: $VERSION_CODENAME
Components: main
Signed-By: /etc/apt/keyrings/podium-adoptium.asc
END
  apt_install fontconfig temurin-21-jre
}

home=/var/lib/jenkins
url=${PODIUM_MIRROR_JENKINS:-https://pkg.jenkins.io}
url=${url%/}/debian-stable

# Before the package, which starts the service at once.
write_config 0644 /etc/systemd/system/jenkins.service.d/podium.conf <<END
[Service]
Environment="JENKINS_PORT=$PODIUM_JENKINS_PORT"
TimeoutStartSec=600
END
install_java
apt_key "$url/jenkins.io-2026.key" /etc/apt/keyrings/podium-jenkins.asc "${PODIUM_KEY_JENKINS:-}"
apt_source podium-jenkins <<END
Types: deb
URIs: $url
Suites: binary/
Signed-By: /etc/apt/keyrings/podium-jenkins.asc
END
apt_install_service jenkins
run_service jenkins.service

fact jenkins_url "http://$PODIUM_ADDRESS:$PODIUM_JENKINS_PORT"
fact jenkins_version "$(dpkg-query --show --showformat '${Version}' jenkins)"

# The first start makes the password; finishing the setup in the browser takes it away again.
password_settled() {
  [[ -s $home/secrets/initialAdminPassword || -e $home/jenkins.install.InstallUtil.lastExecVersion ]]
}
wait_until 300 password_settled ||
  retry_later "Jenkins has made no first password within five minutes" "see: journalctl -u jenkins; has $PODIUM_NODE 2 GiB of memory?"
if [[ -s $home/secrets/initialAdminPassword ]]; then
  fact jenkins_user admin
  fact secret_jenkins_password "$(cat "$home/secrets/initialAdminPassword")"
fi
