#!/bin/bash
# The benchmarks whose budgets are ratios to a bare baseline of the same run or generous on any machine; all of them: npm run bench.
cd "$(dirname "$0")/../.." && exec npm run bench --silent -- allocation ingest
