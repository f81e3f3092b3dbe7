#!/bin/bash
# jenkins.sh: the Jenkins controller, long-term support line, on Java 21, set up from files: no wizard asks anything.
#
# Takes:  PODIUM_NODE, PODIUM_ADDRESS, PODIUM_JENKINS_PORT, PODIUM_JENKINS_PLUGINS (names, by spaces),
#         PODIUM_JENKINS_PLUGIN_MANAGER_VERSION (2.15.0); the file /var/lib/podium/files/jenkins.yaml; optional:
#         PODIUM_MIRROR_JENKINS (instead of https://pkg.jenkins.io), PODIUM_MIRROR_JENKINS_UPDATES (instead of
#         https://updates.jenkins.io), PODIUM_MIRROR_GITHUB (instead of https://github.com), PODIUM_MIRROR_ADOPTIUM
#         (instead of https://packages.adoptium.net/artifactory), PODIUM_KEY_JENKINS and PODIUM_KEY_ADOPTIUM
#         (fingerprints), the proxy's
# Gives:  jenkins_url, jenkins_version, jenkins_user, secret_jenkins_password
# Alone:  sudo PODIUM_NODE=ops PODIUM_ADDRESS=192.168.56.14 PODIUM_JENKINS_PORT=8080 \
#           PODIUM_JENKINS_PLUGINS='configuration-as-code workflow-job' PODIUM_JENKINS_PLUGIN_MANAGER_VERSION=2.15.0 \
#           bash jenkins.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"
. "$(dirname "$0")/lib/proxy.sh"
. "$(dirname "$0")/lib/secret.sh"

home=/var/lib/jenkins
plugins=$home/plugins

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

install_jenkins() {
  local url=${PODIUM_MIRROR_JENKINS:-https://pkg.jenkins.io}
  url=${url%/}/debian-stable
  apt_key "$url/jenkins.io-2026.key" /etc/apt/keyrings/podium-jenkins.asc "${PODIUM_KEY_JENKINS:-}"
  apt_source podium-jenkins <<END
Types: deb
URIs: $url
Suites: binary/
Signed-By: /etc/apt/keyrings/podium-jenkins.asc
END
  apt_install jenkins openssl
}

# install_plugins: those that are wanted, and what they need, in the versions that the update center has for this Jenkins.
# The tool is Jenkins's own, and checks each file against the update center's checksum. What is there stays as it is.
install_plugins() {
  local stamp=$plugins/.podium version=$PODIUM_JENKINS_PLUGIN_MANAGER_VERSION staging=$keep/run/jenkins-plugins
  ! has_text "$stamp" "$PODIUM_JENKINS_PLUGINS" || return 0
  local url=${PODIUM_MIRROR_GITHUB:-https://github.com} updates=${PODIUM_MIRROR_JENKINS_UPDATES:-https://updates.jenkins.io} sum
  url=${url%/}/jenkinsci/plugin-installation-manager-tool/releases/download/$version/jenkins-plugin-manager-$version.jar
  updates=${updates%/}
  local tool=$keep/jenkins-plugin-manager-$version.jar options=$keep/run/jenkins-plugins.java java=(java) wanted=()
  fetch "$url.sha256" "$keep/run/jenkins-plugin-manager.sum"
  sum=$(cat "$keep/run/jenkins-plugin-manager.sum")
  fetch_archive "$url" "$tool" "${sum%% *}"
  (umask 077 && java_proxy >"$options") # a password has no place in the list of processes
  [[ ! -s $options ]] || java+=("@$options")
  read -r -a wanted <<<"$PODIUM_JENKINS_PLUGINS"
  say "installing plugins: $PODIUM_JENKINS_PLUGINS"
  rm -rf "$staging"
  JENKINS_UC_DOWNLOAD_URL=$updates/download/plugins "${java[@]}" -jar "$tool" --war /usr/share/java/jenkins.war \
    --plugin-download-directory "$staging" --jenkins-update-center "$updates/update-center.actual.json" \
    --jenkins-plugin-info "$updates/current/plugin-versions.json" --plugins "${wanted[@]}" ||
    retry_later "Jenkins's plugins cannot be installed" "does $PODIUM_NODE reach $updates? a mirror is set under mirrors: in lab.yaml"
  [[ -d $plugins ]] || install -d -m 0755 -o jenkins -g jenkins "$plugins"
  service_changes
  local file
  for file in "$staging"/*.jpi; do
    install -m 0644 -o jenkins -g jenkins "$file" "$plugins/"
  done
  rm -rf "$staging" "$options"
  write_file 0644 "$stamp" <<<"$PODIUM_JENKINS_PLUGINS"
}

# Before the package, which would start the service at once. Without its plugins nothing would lock Jenkins's door, so it
# does not start before they are there.
write_config 0644 /etc/systemd/system/jenkins.service.d/podium.conf <<END
[Unit]
ConditionPathExists=$plugins/.podium

[Service]
Environment="JENKINS_PORT=$PODIUM_JENKINS_PORT"
Environment="JAVA_OPTS=-Djava.awt.headless=true -Djenkins.install.runSetupWizard=false"
Environment="CASC_JENKINS_CONFIG=$home/podium.yaml"
TimeoutStartSec=600
END
install_java
install_jenkins

# The password is in files only, of which Jenkins reads this one: no unit, environment or list of processes shows it.
password=$(secret jenkins)
write_config 0600 $home/podium-password <<<"$password"
chown jenkins:jenkins $home/podium-password
write_config 0644 $home/podium.yaml <"$keep/files/jenkins.yaml"
install_plugins
run_service jenkins.service

fact jenkins_url "http://$PODIUM_ADDRESS:$PODIUM_JENKINS_PORT"
fact jenkins_version "$(dpkg-query --show --showformat '${Version}' jenkins)"
fact jenkins_user admin
fact secret_jenkins_password "$password"
