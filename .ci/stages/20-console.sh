#!/usr/bin/env bash
# The operator's pages in Debian's Chromium on a demo of their own; the last line is `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec timeout 1080 node console/browser/run.mjs
