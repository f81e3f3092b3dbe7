#!/usr/bin/env bash
set -euo pipefail
docker rm --force web >/dev/null 2>&1 || true
docker run --detach --name web --restart always --publish "$PORT:80" nginx
