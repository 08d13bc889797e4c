#!/usr/bin/env bash
# The pages of both OpenADR roles, block by block as written.
set -uo pipefail
passed=0; failed=0; work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
export LOADSTONE_PORT_BASE=${LOADSTONE_DOCS_BASE:-27460}
for page in docs/openadr-bl-developer.md docs/openadr-ven-developer.md; do
  { printf '%s\n' 'set -euom pipefail' 'trap '\''kill -- "-$SERVER" 2>/dev/null; wait "$SERVER" 2>/dev/null || true'\'' EXIT'
    awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$page"; } >"$work/page.sh"
  if [ "$(wc -l <"$work/page.sh")" -gt 25 ] && timeout 180 bash "$work/page.sh" >"$work/out" 2>"$work/err" </dev/null; then
    passed=$((passed + 1)); echo "ok - $page runs as written"
  else
    failed=$((failed + 1)); echo "not ok - $page runs as written"; tail -n 20 "$work/out" "$work/err"
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
