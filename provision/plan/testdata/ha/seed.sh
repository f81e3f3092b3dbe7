#!/bin/bash
set -euo pipefail
mkdir -p /srv/data
