import { Readable } from 'node:stream'
import { Type, type Static } from 'typebox'
import { watchHabit } from '#core/audit/habit.js'
import { note } from '#core/audit/note.js'
import { Refusal } from '#core/error.js'
import { present } from '#core/permission.js'
import { every } from '#core/port/store/every.js'
import { eraseCustomer } from '#core/privacy/erase.js'
import { leak, type Told } from '#core/privacy/differencing.js'
import { release } from '#core/privacy/k-anonymity.js'
import { pseudonym } from '#core/privacy/pseudonym.js'
import { tenantKey } from '#core/privacy/tenant-key.js'
import { csvLine } from '#core/reading/csv.js'
import { parquetFile, type ParquetColumn } from '#core/reading/parquet-write.js'
import { feedOf } from '#core/reading/green-button.js'
import type { Reading } from '#core/reading/reading.js'
import { meterers, staffAndGrid } from '#core/operator/roles.js'
import { ok, type Ask, type OperatorRoute } from '#core/operator/route.js'
import { closed, filter, page, reference, text, time } from '#core/operator/schema.js'
import { fromOf, instantOf, rfc3339, toOf } from '#core/operator/wire.js'

const queryKind = 'core/AggregateQuery'
const aggregate = closed({ by: Type.Union([Type.Literal('node'), Type.Literal('kind'), Type.Literal('program')]), from: time, to: time, total: Type.Optional(Type.Boolean()), node: Type.Optional(reference) })
const exportQuery = closed({ servicePoint: filter, from: Type.Optional(time), to: Type.Optional(time), format: Type.Optional(Type.Union([Type.Literal('csv'), Type.Literal('xlsx-csv'), Type.Literal('ndjson'), Type.Literal('greenbutton'), Type.Literal('parquet')])), scope: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'for a third party: ids become pseudonyms that hold within this scope (CORE-220)' })) })

/** CORE-221, CORE-222: totals by group under the 15/15 rule; a group that nearly equals one asked for before is refused. */
async function aggregates(ask: Ask) {
  const b = ask.body as Static<typeof aggregate>, { tenant } = ask.caller
  const from = instantOf(b.from, 'utc', '/from'), to = instantOf(b.to, 'utc', '/to')
  return await ask.core.transact(async (work) => {
    const { stores } = work, points = await every((p) => stores.servicePoints.list(tenant, b.node === undefined ? {} : { node: b.node }, p), 5000), groups = new Map<string, string[]>()
    const put = (group: string, id: string): void => void (groups.get(group)?.push(id) ?? groups.set(group, [id]))
    if (b.by === 'node') for (const p of points) put(p.gridPath[0] ?? '(none)', p.id)
    else {
      const inside = new Set(points.map((p) => p.id))
      if (b.by === 'kind') for (const r of await every((p) => stores.resources.list(tenant, {}, p), 5000)) { if (inside.has(r.servicePoint)) put(r.kind, r.servicePoint) }
      if (b.by === 'program') for (const e of await every((p) => stores.enrolments.list(tenant, { state: 'active' }, p), 5000)) if (inside.has(e.servicePoint)) put(e.program, e.servicePoint)
    }
    // two questions at once are judged one after the other
    await stores.ledger.hold(tenant, 'aggregates')
    await note(work, ask.caller, [{ action: 'aggregate.ask', entity: b.by, reason: `${b.from}/${b.to} ${b.node ?? ''}` }])
    const window = { start: from, end: to }, stored = await stores.documents.list<{ members: readonly string[] }>(tenant, { kind: queryKind, sort1To: to - 1, sort2From: from + 1, order: ['-createdAt'], limit: 500 })
    const told: Told[] = stored.map((e) => ({ window: { start: e.sort1, end: e.sort2 }, members: e.body.members })), fresh: Told[] = []
    const energy = await stores.readings.net(tenant, points.map((p) => p.id), from, to, { net: true })
    const own = (id: string): number => energy.get(id)?.Wh.reduce((a, w) => a + w, 0) ?? 0
    const released = release(Object.fromEntries([...groups].map(([g, ids]) => [g, [...new Set(ids)].map(own)])), { totalPublished: b.total ?? false })
    for (const [group, ids] of groups) {
      if (!Object.hasOwn(released.published, group)) continue
      const next: Told = { window, members: [...new Set(ids)].sort() }, found = leak([...told, ...fresh], next)
      if (found) throw new Refusal('conflict', found.kind === 'near-equal' ? `the group '${group}' differs by fewer than 15 members from one that was asked for before` : `with what was told before, the group '${group}' would show ${found.members} members by subtraction`, { faults: [{ path: '/by', reason: 'would show a few by subtraction (CORE-222)' }] })
      fresh.push(next)
    }
    // a total stays back when, less its groups or anything told before, it would show a few
    const whole: Told = { window, members: [...new Set([...groups.values()].flat())].sort() }, total = released.total !== null && !leak([...told, ...fresh], whole) ? released.total : null
    const known = new Set(stored.map((e) => `${e.sort1} ${e.sort2} ${e.body.members.join()}`))
    for (const t of total === null ? fresh : [...fresh, whole]) if (!known.has(`${from} ${to} ${t.members.join()}`)) await stores.documents.insert({ tenant, kind: queryKind, id: work.ids.uuid(), parent: `${from}/${to}`, sort1: from, sort2: to, body: { members: t.members } }, work.clock.nowMs())
    return ok({
      groups: Object.entries(released.published).map(([group, Wh]) => ({ group, members: new Set(groups.get(group)).size, kWh: Wh / 1000 })), suppressed: [...released.primarySuppressed, ...released.secondarySuppressed].length,
      total_kWh: total === null ? null : total / 1000,
    })
  })
}

const parquetColumns: readonly ParquetColumn[] = [{ name: 'servicePoint', kind: 'text' }, { name: 'start', kind: 'instant' }, { name: 'minutes', kind: 'int32' }, { name: 'Wh', kind: 'int64' }, { name: 'channel', kind: 'text' }, { name: 'quality', kind: 'text' }]
const columns = ['servicePoint', 'start', 'minutes', 'Wh', 'channel', 'quality'] as const

/** Readings as a stream of any length; who exports what is in the audit trail (CORE-231). */
async function exported(ask: Ask) {
  const { stores } = ask.core.database, { tenant } = ask.caller, { servicePoint, scope, format = 'csv' } = ask.query
  const point = servicePoint === undefined ? undefined : present(await stores.servicePoints.find(tenant, servicePoint), 'service point', servicePoint)
  if (format === 'greenbutton' && !point) throw new Refusal('invalid', 'Green Button is a form for one service point', { faults: [{ path: '/servicePoint', reason: 'is missing' }] })
  const key = await ask.core.transact(async (work) => {
    await note(work, ask.caller, [{ action: 'reading.export', entity: point?.id ?? 'all', reason: `${format} ${ask.query.from ?? ''}/${ask.query.to ?? ''}${scope === undefined ? '' : ` for ${scope}`}` }])
    await watchHabit(work, ask.caller, { what: 'export' })
    return scope === undefined ? undefined : await tenantKey(work, tenant)
  })
  const names = new Map((point ? [point] : await every((p) => stores.servicePoints.list(tenant, {}, p), 5000)).map((p) => [p.id, key && scope !== undefined ? pseudonym(key, scope, p.id) : p.name]))
  const where = { ...(point ? { servicePoint: point.id } : {}), from: fromOf(ask), to: toOf(ask) }
  async function* rows(): AsyncGenerator<Reading[]> {
    for (let cursor: string | undefined; ;) {
      const found = await stores.readings.list(tenant, where, { limit: 5000, cursor })
      yield [...found.items]
      if (found.next === null) return
      cursor = found.next
    }
  }
  const cellsOf = (r: Reading) => ({ servicePoint: names.get(r.servicePoint) ?? r.servicePoint, start: rfc3339(r.start), minutes: r.minutes, Wh: r.Wh, channel: r.channel, quality: r.quality })
  async function* csv(): AsyncGenerator<string> {
    // a spreadsheet takes UTF-8 for what it is only behind its mark
    yield `${format === 'xlsx-csv' ? '\uFEFF' : ''}${csvLine(columns)}`
    for await (const some of rows()) yield some.map((r) => { const c = cellsOf(r); return csvLine(columns.map((k) => c[k])) }).join('')
  }
  async function* ndjson(): AsyncGenerator<string> {
    for await (const some of rows()) if (some.length > 0) yield `${some.map((r) => JSON.stringify(cellsOf(r))).join('\n')}\n`
  }
  async function* cells(): AsyncGenerator<(string | number)[][]> {
    for await (const some of rows()) yield some.map((r) => [names.get(r.servicePoint) ?? r.servicePoint, r.start * 1000, r.minutes, r.Wh, r.channel, r.quality])
  }
  if (format === 'parquet') return { type: 'application/vnd.apache.parquet', body: Readable.from(parquetFile(parquetColumns, cells())) }
  if (format === 'greenbutton') return { type: 'application/atom+xml; charset=utf-8', body: Readable.from(feedOf(names.get(point!.id)!, ask.core.means.clock.nowMs(), rows())) }
  return format === 'csv' || format === 'xlsx-csv' ? { type: 'text/csv; charset=utf-8', body: Readable.from(csv()) } : { type: 'application/x-ndjson', body: Readable.from(ndjson()) }
}

export const privacyRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: 'grid', summary: 'Per grid node: how many resources, what they can, what a dispatch asks of them; nobody by name (CORE-223)', roles: staffAndGrid, query: page({ dispatch: filter }),
    read: async (ask) => {
      const { stores } = ask.core.database, { tenant } = ask.caller
      const points = new Map((await every((p) => stores.servicePoints.list(tenant, {}, p), 5000)).map((p) => [p.id, p.gridPath])), nodes = new Map<string, { resources: number; rated_W: number; allocated_W: number }>()
      const dispatch = ask.query.dispatch === undefined ? undefined : present(await stores.dispatches.get(tenant, ask.query.dispatch), 'dispatch', ask.query.dispatch), asked = new Map(dispatch?.allocation.map((a) => [a.resource, Math.abs(a.delta_W)]))
      for (const r of await every((p) => stores.resources.list(tenant, {}, p), 5000)) {
        if (r.state !== 'active') continue
        for (const node of points.get(r.servicePoint) ?? []) {
          if (ask.caller.nodes && !ask.caller.nodes.includes(node)) continue
          const n = nodes.get(node) ?? { resources: 0, rated_W: 0, allocated_W: 0 }
          nodes.set(node, { resources: n.resources + 1, rated_W: n.rated_W + r.rated_W, allocated_W: n.allocated_W + (asked.get(r.id) ?? 0) })
        }
      }
      return ok({ items: [...nodes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([node, n]) => ({ node, resources: n.resources, rated_kW: n.rated_W / 1000, ...(dispatch ? { allocated_kW: n.allocated_W / 1000 } : {}) })), next: null })
    } },
  { method: 'POST', path: 'aggregates', summary: 'Energy by node, kind or program under the 15/15 rule; near-equal groups are refused (CORE-221, CORE-222)', roles: ['admin', 'operator', 'settlement', 'auditor', 'dso'], body: aggregate,
    example: { by: 'node', from: '2026-07-14T00:00:00Z', to: '2026-07-15T00:00:00Z', total: true }, act: aggregates },
  { method: 'GET', path: 'exports/readings', summary: 'Readings as CSV (safe for spreadsheets; xlsx-csv begins with the mark that makes them read UTF-8), NDJSON, Parquet or Green Button; pseudonymous within a scope', roles: meterers, query: exportQuery, read: exported },
  { method: 'POST', path: 'service-points/:id/erase', summary: "Erase the customer of a service point: personal fields and interval data go, settled amounts stay under a pseudonym (CORE-224)", roles: ['admin'], body: closed({ reason: text }),
    command: async (work, ask) => ok(await eraseCustomer(work, ask.caller, ask.params.id!, (ask.body as { reason: string }).reason)), after: ({ core }) => core.directory.forget() },
]
