#!/usr/bin/env bash
# snapshot.sh: builds everything of a release into dist/ and publishes nothing, then starts the programs for this system
# and for Windows (under Wine, as root on Debian or Ubuntu) out of their archives. The tools come from their Go modules.
set -euo pipefail
cd "$(dirname "$0")/../.."
GORELEASER=github.com/goreleaser/goreleaser/v2@v2.17.0
CYCLONEDX=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
for module in "$GORELEASER" "$CYCLONEDX"; do GOBIN=$tools go install "$module"; done
export PATH=$tools:$PATH GITHUB_REPOSITORY_OWNER=${GITHUB_REPOSITORY_OWNER:-podium}
goreleaser check
goreleaser release --snapshot --clean

os=$(go env GOOS) arch=$(go env GOARCH)
for want in windows_amd64.zip windows_arm64.zip darwin_amd64.tar.gz darwin_arm64.tar.gz linux_amd64.tar.gz linux_arm64.tar.gz; do
  archive=$(ls dist/podium_*_"$want")
  grep -q "${archive#dist/}" dist/checksums.txt || { echo "snapshot.sh: $archive is not in checksums.txt" >&2 && exit 1; }
done
(cd dist && sha256sum --check --quiet checksums.txt)
tar -xzf "$(ls dist/podium_*_"$os"_"$arch".tar.gz)" -C "$tools"
for file in completions/podium.bash completions/podium.ps1 licences/github.com/spf13/cobra/LICENSE.txt LICENSE; do
  [[ -s $tools/$file ]] || { echo "snapshot.sh: the archive lacks $file" >&2 && exit 1; }
done
"$tools/podium" version
if ((EUID == 0)) && [[ -f /etc/debian_version ]]; then
  unzip -q "$(ls dist/podium_*_windows_amd64.zip)" podium.exe -d "$tools/windows"
  PODIUM_E2E_EXE=$tools/windows/podium.exe scripts/e2e/windows.sh smoke
else
  echo "snapshot.sh: podium.exe was not started: Wine's system needs root on Debian or Ubuntu"
fi
find dist -name '*.rb' -o -name '*.cdx.json' -o -name 'podium.json' -o -path '*winget*' -name '*.yaml' | sort
