import { Readable } from 'node:stream'
import * as fc from 'fast-check'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import t from 'tap'
import { testDoor } from '#core/operator/test-door.js'
import { csvCell } from '#core/reading/csv.js'
import { parquetTable } from '#core/reading/parquet-read.js'
import { parquetFile, type ParquetColumn } from '#core/reading/parquet-write.js'

t.setTimeout(240_000)

const parquet = { 'content-type': 'application/vnd.apache.parquet' }
type Row = readonly (string | number)[]

async function file(columns: readonly ParquetColumn[], rows: readonly Row[], batch = 1000): Promise<Buffer> {
  const parts: Buffer[] = []
  async function* batches(): AsyncGenerator<readonly Row[]> {
    for (let i = 0; i < rows.length; i += batch) yield rows.slice(i, i + batch)
  }
  for await (const part of parquetFile(columns, batches())) parts.push(part)
  return Buffer.concat(parts)
}
const bufferOf = (b: Buffer): ArrayBuffer => b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength) as ArrayBuffer

t.test('UX-060 what is written as Parquet an independent reader gives back: texts, negative and large numbers, instants; several row groups', async (t) => {
  const columns: ParquetColumn[] = [{ name: 'a', kind: 'text' }, { name: 'b', kind: 'int32' }, { name: 'c', kind: 'int64' }, { name: 'd', kind: 'instant' }]
  const row = fc.tuple(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.integer(), fc.maxSafeInteger(), fc.integer({ min: 0, max: 4_000_000_000_000 }))
  await fc.assert(fc.asyncProperty(fc.array(row, { maxLength: 40 }), async (rows) => {
    const found = await parquetReadObjects({ file: bufferOf(await file(columns, rows, 7)) }) as { a: string; b: number; c: bigint; d: Date }[]
    const back = found.map((r) => [r.a, r.b, Number(r.c), r.d.getTime()])
    if (JSON.stringify(back) !== JSON.stringify(rows)) throw new Error(JSON.stringify([rows, back]))
  }), { numRuns: 60 })
  const many = await file([columns[1]!], Array.from({ length: 120_001 }, (_, i) => [i]), 5000), { row_groups, num_rows } = parquetMetadata(bufferOf(many))
  t.same([row_groups.map((g) => Number(g.num_rows)), Number(num_rows)], [[50_000, 50_000, 20_001], 120_001])
  let n = 0
  for await (const { line: at, values } of parquetTable(Readable.from([many]))) if (at !== n + 2 || values[0] !== String(n++)) return t.fail(`row ${at} is ${values[0]}`)
  t.equal(n, 120_001)
})

t.test('UX-060 readings as Parquet: a round trip is identical, other columns are mapped, bad rows are named and nothing is half-imported, a damaged file is one refusal', async (t) => {
  const { as } = await testDoor(t, { nowMs: Date.UTC(2026, 6, 15, 18) }), ada = await as('admin', 'ada'), viewer = await as('viewer', 'vera')
  await ada('POST', 'service-points', [{ name: 'home-0' }, { name: "'=evil" }, { name: 'Bäckerei' }, { name: 'copy' }])
  const rows = ['home-0', "'=evil", 'Bäckerei'].flatMap((servicePoint, p) => Array.from({ length: 30 }, (_, i) => ({ servicePoint, start: new Date(Date.UTC(2026, 6, 1) + i * 900_000).toISOString(), minutes: 15, Wh: (i * 37 + p) % 900, channel: p === 1 ? 'export' : 'import', quality: i % 7 === 0 ? 'VALID' : 'RAW' })))
  t.match((await ada('POST', 'readings', { readings: rows })).data, { accepted: 90 })
  const exported = await ada('GET', 'exports/readings?format=parquet'), bytes = exported.rawPayload
  t.match(exported.headers['content-type'], /vnd\.apache\.parquet/)
  const found = (await parquetReadObjects({ file: bufferOf(bytes) }) as { servicePoint: string; start: Date; minutes: number; Wh: bigint; channel: string; quality: string }[]).map((r) => ({ ...r, start: r.start.toISOString(), Wh: Number(r.Wh) }))
  const byPlace = (a: { servicePoint: string; start: string }, b: { servicePoint: string; start: string }): number => (`${a.servicePoint} ${a.start}` < `${b.servicePoint} ${b.start}` ? -1 : 1)
  t.same(found.sort(byPlace), [...rows].sort(byPlace))
  t.match((await ada('POST', 'readings', bytes, parquet)).data, { accepted: 0, duplicates: 90, corrected: 0 }, 'and back again nothing is new')
  const scoped = await ada('GET', 'exports/readings?format=parquet&scope=regulator')
  t.notMatch(scoped.rawPayload.toString('latin1'), /home-0/, 'CORE-220')

  const theirs: ParquetColumn[] = [{ name: 'ts', kind: 'instant' }, { name: 'kWh', kind: 'text' }, { name: 'note', kind: 'text' }], at = Date.UTC(2026, 5, 1), url = 'readings?servicePoint=copy&minutes=15&columns=start=ts,Wh=kWh&unit=kWh'
  t.match((await ada('POST', url, await file(theirs, [[at, '0.25', 'x'], [at + 900_000, '0.5', '']]), parquet)).data, { accepted: 2 })
  t.match((await ada('GET', 'readings?servicePoint=copy')).data.items, [{ start: '2026-06-01T00:00:00Z', Wh: 250 }, { Wh: 500 }])
  const bad = await ada('POST', url, await file(theirs, [[at + 1_800_000, '1', ''], [at + 2_700_000, 'much', ''], [at + 1, '1', '']]), parquet)
  t.match(bad.data, { status: 422, rows: [{ row: 2, field: 'Wh' }, { row: 3, field: 'start' }] })
  t.equal((await ada('GET', 'readings?servicePoint=copy')).data.items.length, 2, 'nothing of it is stored')
  t.match((await ada('POST', 'readings', await file(theirs, [[at, '1', '']]), parquet)).data, { status: 422, faults: [{ path: 'header/ts' }, { path: 'header/kWh' }, { path: 'header/note' }] })

  const broken = [Buffer.from('PAR1PAR1PAR1'), Buffer.from('no parquet at all'), Buffer.alloc(0), bytes.subarray(0, bytes.length - 9), Buffer.concat([bytes.subarray(0, 200), bytes.subarray(260)])]
  for (let i = 0; i < 8; i++) {
    const copy = Buffer.from(bytes), where = (i * 7919) % copy.length
    copy[where] = copy[where]! ^ (1 << (i % 8))
    broken.push(copy)
  }
  const before = (await ada('GET', 'readings?limit=1000')).data.items.length, answers = []
  for (const b of broken) answers.push((await ada('POST', 'readings?preview=true', b, parquet)).statusCode)
  t.ok(answers.slice(0, 5).every((s) => s === 422 || s === 400), answers.slice(0, 5).join())
  t.ok(answers.every((s) => s < 500), [...new Set(answers)].join())
  t.equal((await ada('GET', 'readings?limit=1000')).data.items.length, before)
  t.equal((await ada('POST', 'programs', bytes, parquet)).statusCode, 415)
  t.equal((await viewer('POST', 'readings', bytes, parquet)).statusCode, 403)
})

t.test('SEC-047, UX-060 what a spreadsheet would run is guarded, and no number is altered', (t) => {
  t.strictSame([-1e-7, 1e21, -5, -0.25, NaN].map(csvCell), ['-1e-7', '1e+21', '-5', '-0.25', 'NaN'])
  t.strictSame(['-1e-7', '+5', '@SUM(A1)', '-2+3', '\t=1', '-5.50'].map(csvCell), ["'-1e-7", "'+5", "'@SUM(A1)", "'-2+3", "'\t=1", '-5.50'])
  t.end()
})
