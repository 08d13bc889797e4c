#!/bin/bash
# UX-002: every command of the pages is run as written.
cd "$(dirname "$0")/../.." && exec node .ci/readme.js
