#!/bin/bash
# build.sh NUMBER: builds the image of the app and puts it into the lab's registry. The pipeline's stage "build".
set -euo pipefail
cd "$(dirname "$0")"
number=$1
# shellcheck source=/dev/null
. /etc/podium/delivery.env # REGISTRY, NAMESPACE

# A copy, so that the page can say which build it is.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r Dockerfile www "$work"
chmod -R a+rX "$work"
sed -i "s/@BUILD@/$number/" "$work/www/index.html"

# By the name localhost Docker takes a registry without TLS; the cluster knows the same one by its address.
image=localhost:${REGISTRY##*:}/hello:$number
docker build --tag "$image" "$work"
docker push "$image"
