#!/bin/bash
# Issue 2: the whole story with 200 devices stays within 1 GiB.
cd "$(dirname "$0")/../.." && node .ci/memory.js --devices 200 --limit 1024
