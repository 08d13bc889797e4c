import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sizesTable, withSizes } from '#bench/sizes.js'
import { packageRoot } from '#core/package-root.js'

const figure = (name: string, value: number) => ({ name, value, unit: '', n: 1 })

t.test('UX-078 the table of sizes is made of figures, a line that was not measured whole is left out and named', async (t) => {
  const { table, missing } = sizesTable([figure('readings ingest', 198_432), figure('reading on disk', 110.4), figure('start first', 4321), figure('ocpp idle station ws', 18.2)], 'A machine.')
  t.match(table, /\nA machine\.\n/)
  t.match(table, '| readings taken in | 200,000 a second |')
  t.match(table, '| disk | 110 bytes a reading: 1,000 meters at 15 minutes are 11 MB a day |')
  t.notMatch(table, /^\| start /m, 'half a line is none')
  t.ok(missing.includes('start') && !missing.includes('disk'))
  const page = readFileSync(join(packageRoot(), 'deploy', 'README.md'), 'utf8'), put = withSizes(page, table)
  t.match(put, table)
  t.equal(withSizes(put, sizesTable([], 'Another.').table).includes('200,000'), false, 'the one before is gone')
  t.match(put, /^## Sizes$/m)
  t.throws(() => withSizes('no place', table), /no place/)
})

t.test('UX-078 the published page holds what a small machine needs: memory, stations, readings, disk; each line is one that the command makes', async (t) => {
  const page = readFileSync(join(packageRoot(), 'deploy', 'README.md'), 'utf8'), { missing } = sizesTable([], '')
  const lines = [...(page.split('<!-- sizes: made')[1]?.split('<!-- sizes end')[0] ?? '').matchAll(/^\| ([^|]+) \| ([^|]+) \|$/gm)].map((m) => m[1]!).filter((what) => what !== 'what')
  t.same(lines.filter((what) => !missing.includes(what)), [])
  for (const what of ['memory of the server, idle', 'OCPP, an idle station', 'readings taken in', 'disk']) t.ok(lines.includes(what), what)
})
