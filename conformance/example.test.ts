import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { exampleSet } from '#conformance/example.js'
import type { Report } from '#conformance/procedure.js'
import { junitFaults } from '#conformance/report/junit-rules.js'
import { digestOf, readStatement } from '#conformance/report/statement.js'
import { packageRoot } from '#core/package-root.js'

const read = (name: string): string => readFileSync(join(packageRoot(import.meta.url), 'conformance/example', name), 'utf8')
const again = 'make it again: node build/conformance/example-write.js READY'

t.test('UX-036 the example is of today’s procedures, by the digest of its signed statement', async (t) => {
  const { statement } = await readStatement(read('statement.json'))
  t.equal(statement.procedures, digestOf(exampleSet()), again)
  t.same(statement.results.map((r) => r.id), exampleSet().map((p) => p.id))
  t.match(statement.summary, { FAILED: 1, 'NOT APPLICABLE': 1 }, 'it shows more than passes')
})

t.test('UX-036 every format of the example tells the same run', async (t) => {
  const report = JSON.parse(read('report.json')) as Report, bad = report.results.find((r) => r.verdict === 'FAILED')
  t.same(junitFaults(read('report.xml')), [])
  for (const name of ['report.xml', 'report.html', 'report.tap', 'report.txt', 'evidence.json']) for (const { id } of report.results) t.ok(read(name).includes(id), `${name}: ${id}`)
  for (const name of ['report.xml', 'report.html', 'report.md', 'report.txt', 'annotations.txt']) t.ok(read(name).includes(bad?.clause ?? 'none'), `${name} tells the clause of what failed`)
  t.equal(read('report.tap').match(/^not ok /gm)?.length, 1)
})

t.test('SEC-061 the example holds no secret and no place of the machine that made it', async (t) => {
  for (const name of ['report.xml', 'report.html', 'report.json', 'report.md', 'report.tap', 'report.txt', 'evidence.json', 'statement.json', 'annotations.txt']) t.notMatch(read(name), /PRIVATE KEY|Bearer [^[]|\/tmp\/|\/home\/|\/root\//, name)
})
