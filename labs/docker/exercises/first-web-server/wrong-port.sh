#!/usr/bin/env bash
# Published at a port that was not asked for.
set -euo pipefail
docker run --detach --name web --restart always --publish 8070:80 nginx
