import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '#core/package-root.js'
import { judge, releasesOf } from '#deploy/changelog.js'

const readers = ['program operators', 'device vendors', 'VEN developers', 'CI engineers', 'settlement analysts', 'SREs']
const table = (rows: readonly string[]): string => `### Upgrading to 0.3.0\n\n| for | what |\n|---|---|\n${rows.map((r) => `| ${r} | nothing |`).join('\n')}\n\n### What is new\n\n`

t.test('UX-079 the changelog says to each reader what breaks, and warns a minor release ahead of what goes', async (t) => {
  const text = readFileSync(join(packageRoot(), 'CHANGELOG.md'), 'utf8'), { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }
  t.same(judge(text), [])
  t.equal(releasesOf(text)[0]?.version, version, 'the newest release is the one in package.json')

  t.same(judge(`## 0.3.0\n\n${table(readers)}- Operators: new.\n`), [])
  t.same(judge('## 0.3.0\n\n- Operators: new.\n'), ['0.3.0: no “Upgrading to 0.3.0”'])
  t.same(judge(`## 0.3.0\n\n${table(readers.slice(1))}`), ['0.3.0: nothing said to program operators'])
  t.same(judge(`## 0.3.0\n\n${table(readers)}- Deprecated: \`--old\`, use \`--new\`; goes in 0.4.0.\n`), [])
  t.same(judge(`## 0.3.2\n\n${table(readers).replace('0.3.0', '0.3.2')}- Deprecated: \`--old\`; goes in 0.3.3.\n`), ['0.3.2: goes too soon: - Deprecated: `--old`; goes in 0.3.3.'])
  t.same(judge(`## 0.3.0\n\n${table(readers)}- Deprecated: \`--old\`.\n`), ['0.3.0: until when? - Deprecated: `--old`.'])
  t.same(judge(`## 0.4.0\n\n${table(readers).replaceAll('0.3.0', '0.4.0')}- Removed: \`--old\`.\n\n## 0.3.0\n\n${table(readers)}`), ['0.4.0: went without a warning: - Removed: `--old`.'])
})
