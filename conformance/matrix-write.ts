import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Verdict } from '#conformance/procedure.js'
import { packageRoot } from '#core/package-root.js'
import { readmeOf, statusTable, withStatus } from '#conformance/status.js'
import { keptResults, matrixPage, matrixRows, testsByNumber } from '#conformance/matrix.js'

/** `node build/conformance/matrix-write.js [REPORT.json …]`: takes the verdicts of reports (`--json` of a run) into results.json and writes matrix.md and the README's status. */
const root = packageRoot(import.meta.url)
const results = keptResults(root)
// Several profiles run the same procedure: the worst verdict counts, and "not applicable" only where nobody could judge.
const worst: readonly string[] = ['FAILED', 'ERROR', 'WARNING', 'PARTIAL', 'PASSED', 'NOT APPLICABLE']
const told = new Map<string, Verdict>()
for (const file of process.argv.slice(2)) {
  for (const r of (JSON.parse(readFileSync(file, 'utf8')) as { results: { id: string; verdict: Verdict }[] }).results) {
    const before = told.get(r.id)
    if (before === undefined || worst.indexOf(r.verdict) < worst.indexOf(before)) told.set(r.id, r.verdict)
  }
}
for (const [id, verdict] of told) results[id] = verdict
const { procedures } = await import('#conformance/registry.js')
const known = new Set(Object.values(procedures).flat().map((p) => p.id))
const sorted = Object.fromEntries(Object.entries(results).filter(([id]) => known.has(id)).toSorted(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(join(root, 'conformance/results.json'), `${JSON.stringify(sorted, null, 1)}\n`)
writeFileSync(join(root, 'conformance/matrix.md'), matrixPage(matrixRows(sorted, testsByNumber(root))))
writeFileSync(join(root, 'README.md'), withStatus(readmeOf(root), statusTable(procedures, sorted)))
