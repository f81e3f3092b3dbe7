#!/usr/bin/env bash
# The node has no container called web.
set -euo pipefail
docker rm --force --volumes web >/dev/null 2>&1 || true
