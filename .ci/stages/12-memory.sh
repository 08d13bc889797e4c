#!/bin/bash
# Issue 2: the whole story with 200 devices stays within 1 GiB, and 2,000 devices hold every check on two cores.
cd "$(dirname "$0")/../.." && node .ci/memory.js --devices 200 --limit 1024 && node .ci/memory.js --devices 2000 --limit 6000
