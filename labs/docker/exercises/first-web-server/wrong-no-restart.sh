#!/usr/bin/env bash
# Runs until it ends, and never again.
set -euo pipefail
docker run --detach --name web --publish "$PORT:80" nginx
