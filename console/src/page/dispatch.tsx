import { useMemo, useRef, useState } from 'preact/hooks'
import { all, get, orNone, post, type List } from '../api.ts'
import { age, count, energy, listed, money, percent, power } from '../format.ts'
import { useLoad } from '../live.ts'
import { may, serverNow, useTick } from '../session.ts'
import { t, word, type Key } from '../text/index.ts'
import { protocols, type AuditRecord, type Delivery, type Dispatch, type Performance, type Progress, type Program, type Run } from '../types.ts'
import { Act, Age, Await, D, Figure, State, Time } from '../part/basics.tsx'
import { Chart, type Line } from '../part/chart.tsx'
import { Dialog } from '../part/dialog.tsx'
import { directionOf, orderWords, window } from '../part/dispatch-words.tsx'
import { Table } from '../part/table.tsx'

interface Everything { dispatch: Dispatch; deliveries: Delivery[]; performance: Performance; program: Program; revisions: Dispatch[]; run: Run | undefined }

const lostStates = new Set(['noComms', 'rejected', 'optedOut', 'cancelled'])
const cancellable = new Set(['scheduled', 'notified', 'active', 'pendingRelease'])
const order = ['scheduled', 'notified', 'active', 'completed', 'verified', 'settled']

/** What changes only with the order itself is asked again when its version moves, or after a while: two thousand parts are enough to carry each second. */
const keep_ms = 10_000

async function everything(id: string, before: { all: Everything; at: number } | undefined): Promise<Everything> {
  const [dispatch, deliveries] = await Promise.all([get<Dispatch>(`/dispatches/${id}`), all<Delivery>(`/dispatches/${id}/deliveries`)])
  if (before && before.all.dispatch.id === id && before.all.dispatch.version === dispatch.version && Date.now() - before.at < keep_ms) return { ...before.all, dispatch, deliveries }
  const [performance, program, revisions, runs] = await Promise.all([
    get<Performance>(`/dispatches/${id}/performance`), get<Program>(`/programs/${dispatch.program}`), get<List<Dispatch>>(`/dispatches/${id}/revisions`), dispatch.state === 'settled' ? orNone(get<List<Run>>(`/settlement-runs?program=${dispatch.program}`)) : undefined,
  ])
  const start = Date.parse(dispatch.start)
  return { dispatch, deliveries, performance, program, revisions: revisions.items, run: runs?.items.filter((r) => Date.parse(r.from) <= start && start < Date.parse(r.to) && r.state !== 'superseded').at(-1) }
}

/** The page of one event, live: what was ordered, who does it, what the meters say, and the way to stop it (UX-046). */
export function DispatchPage({ id }: { id: string }) {
  const ours = (m: { action: string; entity: string }): boolean => m.entity === id || m.action.startsWith('delivery') || m.action.startsWith('dispatch') || m.action.startsWith('settlementRun')
  const kept = useRef<{ all: Everything; at: number } | undefined>(undefined)
  const all_ = useLoad(async () => {
    const found = await everything(id, kept.current)
    if (found.performance !== kept.current?.all.performance) kept.current = { all: found, at: Date.now() }
    return found
  }, [id], { every: 5000, when: ours, pause: 1000 })
  const progress = useLoad(() => get<Progress>(`/dispatches/${id}/progress`), [id], { every: 2000 })
  return <Await of={all_}>{(e) => <Found e={e} progress={progress.data} reload={() => { all_.reload(); progress.reload() }} />}</Await>
}

/** `/live`: the newest running dispatch, else the next, else the last; waits until there is one. */
export function LivePage() {
  const found = useLoad(async () => {
    const o = await get<{ live: { id: string }[]; next: { id: string }[]; last: { id: string } | null }>('/overview')
    return o.live.at(-1)?.id ?? o.next[0]?.id ?? o.last?.id ?? ''
  }, [], { every: 2000, when: (m) => m.action.startsWith('dispatch') })
  if (found.data) return <DispatchPage id={found.data} />
  return <Await of={found}>{() => <p class="card empty" role="status">{t('home.noEvents')}</p>}</Await>
}

function Found({ e, progress, reload }: { e: Everything; progress: Progress | undefined; reload: () => void }) {
  const { dispatch: d, performance: p, run } = e, direction = directionOf(d, e.program.direction), final = p.delivered_kWh !== undefined && p.delivered_kWh !== null
  const asked = final ? p.ordered_kWh : progress?.asked_kWh ?? 0, delivered = final ? p.delivered_kWh : progress?.delivered_kWh ?? null
  const hours = (Date.parse(d.end) - Date.parse(d.start)) / 3_600_000
  return (
    <div class="dispatch">
      <div class="row titlebar">
        <div class="grow"><h1>{orderWords(d.power_kW, direction)}</h1><p class="row"><State of={d.state} /><D>{window(d.start, d.end, d.timeZone)} <span class="soft">{d.timeZone}</span></D><a href={`#/programs/${d.program}`} translate={false}>{d.programName}</a>{d.reason && <D class="soft">“{d.reason}”</D>}<Age at={progress?.at ?? d.modifiedAt} /></p></div>
        <a class="button" href={`#/dispatches/new?copy=${d.id}`}>{t('dispatch.copy')}</a>
        <Cancel d={d} reload={reload} />
      </div>
      {d.state === 'pendingRelease' && <div class="card notice row"><p class="grow">{t('dispatch.waits', { by: d.createdBy })}</p><Act kind="primary" label="dispatch.release" do={async () => { await post(`/dispatches/${d.id}/release`); reload() }} /></div>}
      <Explanation e={e} progress={progress} direction={direction} />
      <Steps e={e} progress={progress} />
      <div class="cards">
        <Figure label="dispatch.ordered" value={power(Math.abs(d.power_kW))}><p class="soft" translate={false}>{energy(Math.abs(d.power_kW) * hours)}</p></Figure>
        <Figure label="dispatch.placed" value={power(d.allocated_kW)}><p class="soft">{d.shortfall_kW > 0 ? t('dispatch.notPlaced', { power: power(d.shortfall_kW) }) : t('dispatch.allPlaced')}</p></Figure>
        <Figure label={final ? 'dispatch.delivered' : 'dispatch.soFar'} value={energy(delivered)} href={`#/verification/${d.id}`}><p class="soft">{asked > 0 && delivered !== null ? t('dispatch.ofOrder', { share: percent(delivered / asked) }) : t('step.open')}</p></Figure>
        {run ? <Figure label="dispatch.revenue" value={money(run.revenue, run.currency)} href={`#/settlement/${run.id}`}><p class="soft"><a href={`#/settlement/${run.id}`}>{t('dispatch.seeMoney')}</a></p></Figure>
          : <Figure label="dispatch.shortfall" value={asked > 0 && delivered !== null ? energy(Math.max(0, asked - delivered)) : '–'}><p class="soft">{t(final ? 'step.verified' : 'step.open')}</p></Figure>}
      </div>
      <PowerChart d={d} p={p} progress={progress} />
      <h2>{t('dispatch.deliveries')}</h2>
      <Parts e={e} progress={progress} />
      <div class="columns"><Split d={d} deliveries={e.deliveries} /><Moves e={e} /></div>
      {may('admin', 'auditor') && <History id={d.id} zone={d.timeZone} version={d.version} />}
    </div>
  )
}

/** Whatever else has happened to the order meanwhile, taking it back is meant: no version is asked for. */
function Cancel({ d, reload }: { d: Dispatch; reload: () => void }) {
  const [sure, setSure] = useState(false)
  if (!may('admin', 'operator', 'dispatcher') || !cancellable.has(d.state)) return null
  return (
    <div class="cancel">
      <button type="button" class="danger" onClick={() => setSure(true)}>{t('dispatch.cancel')}</button>
      {sure && <Dialog title={t('dispatch.cancel')} onClose={() => setSure(false)}><p>{t('dispatch.cancelSure')}</p><div class="row end"><button type="button" autofocus onClick={() => setSure(false)}>{t('dispatch.keep')}</button>
        <Act kind="danger" label="dispatch.cancel" do={async () => { await post(`/dispatches/${d.id}/cancel`, { reason: 'console' }); setSure(false); reload() }} /></div></Dialog>}
    </div>
  )
}

/** What happens here, for someone who never heard of the three protocols (issue G). */
function Explanation({ e, progress, direction }: { e: Everything; progress: Progress | undefined; direction: 'down' | 'up' }) {
  const { dispatch: d, performance: p, deliveries, run } = e
  const parts = protocols.flatMap((x) => {
    const mine = deliveries.filter((y) => y.protocol === x)
    return mine.length === 0 ? [] : [t(`explain.${x}`, { n: count(mine.length), power: power(d.allocation.byProtocol[x]) })]
  })
  const lost = deliveries.filter((x) => lostStates.has(x.state) && d.state !== 'cancelled'), words = [...new Set(lost.map((x) => x.state))].map((s) => `${lost.filter((x) => x.state === s).length} ${word('state', s)}`)
  const upcoming = Date.parse(d.start) > serverNow()
  return (
    <p class="card explain">
      {t(`explain.ask.${direction}`, { power: power(Math.abs(d.power_kW)), start: whenTime(d.start, d.timeZone), end: whenTime(d.end, d.timeZone) })}{' '}
      {parts.length > 0 && t('explain.split', { n: count(deliveries.length), parts: listed(parts) })}{' '}
      {d.state === 'cancelled' ? t('explain.cancelled') : deliveries.length > 0 && (lost.length > 0 ? t('explain.trouble', { n: count(lost.length), words: listed(words) }) : t('explain.allGood'))}{' '}
      {p.delivered_kWh !== undefined && p.delivered_kWh !== null ? t('explain.final', { actual: energy(p.metered_kWh), baseline: energy(p.baseline_kWh), delivered: energy(p.delivered_kWh), share: percent(p.performance) })
        : progress && progress.delivered_kWh !== null ? t('explain.soFar', { delivered: energy(progress.delivered_kWh), asked: energy(progress.asked_kWh) }) : upcoming && d.state !== 'cancelled' ? t('explain.waiting', { when: whenTime(d.start, d.timeZone) }) : ''}{' '}
      {run && t('explain.paid', { amount: money(run.revenue, run.currency) })}{' '}
      {t('explain.chart')}
    </p>
  )
}
const whenTime = (iso: string, zone: string): string => new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(iso))

interface Step { key: Key; done: boolean; at?: string | null; note?: string }

function Steps({ e, progress }: { e: Everything; progress: Progress | undefined }) {
  const { dispatch: d, deliveries, performance: p, run } = e, n = deliveries.length, reached = order.indexOf(d.state), now = serverNow()
  useTick(2000)
  const first = (pick: (x: Delivery) => string | null): string | null => deliveries.map(pick).filter((x): x is string => x !== null).sort()[0] ?? null
  const sent = deliveries.filter((x) => x.sentAt !== null).length, heard = deliveries.filter((x) => x.acknowledgedAt !== null || ['accepted', 'started', 'completed', 'optedOut', 'rejected', 'received'].includes(x.state)).length
  const total = progress?.intervals.filter((i) => i.phase === 'event').length ?? 0, began = Date.parse(d.start) <= now && d.state !== 'pendingRelease'
  const steps: Step[] = [
    { key: 'step.ordered', done: true, at: d.createdAt, note: d.createdBy },
    ...(d.releasedBy || d.state === 'pendingRelease' ? [{ key: 'step.released' as Key, done: d.releasedBy !== null, note: d.releasedBy ?? '' }] : []),
    { key: 'step.sent', done: n > 0 && sent === n, at: first((x) => x.sentAt), note: t('common.of', { n: sent, total: n }) },
    { key: 'step.acknowledged', done: n > 0 && heard + deliveries.filter((x) => x.state === 'noComms' || x.state === 'cancelled').length >= n, at: first((x) => x.acknowledgedAt), note: t('common.of', { n: heard, total: n }) },
    { key: 'step.active', done: began, at: began ? d.start : null, note: began ? '' : age(now - Date.parse(d.start)) && whenTime(d.start, d.timeZone) },
    { key: 'step.measured', done: total > 0 && (progress?.intervalsDone ?? 0) >= total, note: t('step.intervals', { n: progress?.intervalsDone ?? 0, total }) },
    { key: 'step.verified', done: reached >= 4, at: p.computedAt ?? null },
    { key: 'step.settled', done: reached >= 5, at: run?.createdAt ?? null },
  ]
  const over = d.state === 'cancelled' || d.state === 'rejected', current = steps.findIndex((s) => !s.done)
  return (
    <ol class="steps" aria-label={t('step.label')}>{steps.map((s, i) => (
      <li key={s.key} class={s.done ? 'done' : i === current && !over ? 'now' : ''} data-step={s.key.slice(5)} data-done={s.done}>
        <strong><span aria-hidden="true">{s.done ? '✓ ' : i === current && !over ? '● ' : '○ '}</span>{t(s.key)}</strong><span class="hide">{t(s.done ? 'step.done' : i === current ? 'step.now' : 'step.open')}</span>
        <div class="soft">{s.at && <Time at={s.at} in={d.timeZone} style="time" />} <D>{s.note ?? ''}</D></div>
      </li>))}</ol>
  )
}

function PowerChart({ d, p, progress }: { d: Dispatch; p: Performance; progress: Progress | undefined }) {
  const made = useMemo(() => {
    if (!progress) return undefined
    // what was verified is shown as it was verified
    const final = new Map((p.intervals ?? []).map((i) => [Date.parse(i.start), i])), delta = (progress.direction === 'down' ? -1 : 1) * progress.ordered_kW
    const rows = progress.intervals.map((i) => {
      const f = i.phase === 'event' ? final.get(Date.parse(i.start)) : undefined, baseline = f?.baseline_kW ?? i.baseline_kW
      return { start: Date.parse(i.start) / 1000, baseline, actual: f?.actual_kW ?? i.actual_kW, target: baseline === null ? null : baseline + delta }
    })
    const lines: Line[] = [
      { key: 'dispatch.baseline', values: rows.map((r) => r.baseline), colour: '--c-baseline', dash: [7, 5] },
      { key: 'dispatch.target', values: rows.map((r) => r.target), colour: '--c-target', width: 1.5 },
      { key: 'dispatch.actual', values: rows.map((r) => r.actual), colour: '--c-actual', width: 3 },
    ]
    return { times: rows.map((r) => r.start), lines, end: Date.parse(progress.intervals.at(-1)?.end ?? '') / 1000 }
  }, [progress, p])
  if (!progress || !made) return <p class="card empty">{t('common.loading')}</p>
  const lastHeard = progress.intervals.filter((i) => i.actual_kW !== null).at(-1)?.end
  return (
    <section class="card picture">
      {progress.status !== 'OK' && <p class="problem">{t('dispatch.noBaseline', { why: progress.reasons.join('; ') })}</p>}
      <Chart label="dispatch.chart" {...made} zone={d.timeZone} band={{ from: Date.parse(d.start) / 1000, to: Date.parse(d.end) / 1000 }} now={serverNow() / 1000} />
      <p class="soft row"><span>{t('dispatch.eventBand')}</span>{progress.provisional && progress.state !== 'cancelled' && <span>{t('dispatch.provisional')}</span>}{lastHeard && <span>{t('dispatch.measuredAt', { time: whenTime(lastHeard, d.timeZone) })}</span>}<a href={`#/verification/${d.id}`}>{t('dispatch.seeVerification')}</a></p>
    </section>
  )
}

interface Part extends Delivery { asked_kWh: number | null; delivered_kWh: number | null; short_kWh: number | null }

function Parts({ e, progress }: { e: Everything; progress: Progress | undefined }) {
  const hours = (Date.parse(e.dispatch.end) - Date.parse(e.dispatch.start)) / 3_600_000
  const soFar = new Map(progress?.points.map((x) => [x.servicePoint, x])), done = new Map(e.performance.points?.map((x) => [x.servicePoint, x])), slots = progress?.intervals.filter((i) => i.phase === 'event').length ?? 0
  const rows = e.deliveries.map((x): Part => {
    const final = done.get(x.servicePoint), now = soFar.get(x.servicePoint), part = final || slots === 0 ? 1 : (now?.reported ?? 0) / slots
    const asked = now || final ? (x.allocated_W / 1000) * hours * part : null, delivered = final ? final.delivered_kWh : now?.delivered_kWh ?? null
    return { ...x, asked_kWh: asked, delivered_kWh: delivered, short_kWh: asked === null || asked === 0 ? null : asked - (delivered ?? 0) }
  })
  return (
    <Table<Part> name="part" caption="dispatch.deliveries" rows={rows} rowKey={(x) => x.id} empty="device.none" sort="-short" step={50} search={(x) => `${x.resourceName} ${x.remoteId}`} rowState={(x) => (lostStates.has(x.state) ? 'lost' : undefined)}
      filters={[{ id: 'state', title: 'common.state', value: (x) => x.state }, { id: 'protocol', title: 'device.protocol', group: 'protocol', value: (x) => x.protocol }]}
      columns={[
        { id: 'name', title: 'common.name', value: (x) => x.resourceName, cell: (x) => <a href={`#/devices/${x.resource}`} translate={false}>{x.resourceName}</a> },
        { id: 'protocol', title: 'device.protocol', value: (x) => x.protocol, cell: (x) => word('protocol', x.protocol) },
        { id: 'state', title: 'common.state', value: (x) => x.state, cell: (x) => <State of={x.state} /> },
        { id: 'allocated', title: 'dispatch.asked', num: true, value: (x) => x.allocated_W / 1000, cell: (x) => power(x.allocated_W / 1000) },
        { id: 'delivered', title: 'dispatch.delivered', num: true, value: (x) => x.delivered_kWh, cell: (x) => energy(x.delivered_kWh) },
        { id: 'short', title: 'dispatch.shortfall', num: true, value: (x) => x.short_kWh, cell: (x) => x.short_kWh === null ? '–' : energy(Math.max(0, x.short_kWh)) },
        { id: 'at', title: 'common.at', value: (x) => x.at, cell: (x) => <Time at={x.at} in={e.dispatch.timeZone} style="time" /> },
        { id: 'reason', title: 'common.reason', value: (x) => x.reason ?? '', cell: (x) => x.reason ?? '' },
      ]} />
  )
}

function Split({ d, deliveries }: { d: Dispatch; deliveries: Delivery[] }) {
  const total = Math.max(1, d.allocation.total_kW)
  return (
    <section class="card"><h2>{t('dispatch.split')}</h2>
      {protocols.map((x) => <div key={x} class="bar" data-protocol={x}><span>{word('protocol', x)}</span><meter min={0} max={1} value={d.allocation.byProtocol[x] / total} aria-label={word('protocol', x)} /><span>{t('protocols.part', { power: power(d.allocation.byProtocol[x]), n: count(deliveries.filter((y) => y.protocol === x).length) })}</span></div>)}
    </section>
  )
}

/** What one revision took from some devices and gave to others. */
function Moves({ e }: { e: Everything }) {
  const name = new Map(e.deliveries.map((x) => [x.resource, x.resourceName])), all_ = [...e.revisions, e.dispatch].filter((r, i, list) => list.findIndex((x) => x.revision === r.revision) === i).sort((a, b) => a.revision - b.revision)
  const moves = all_.slice(1).map((now, i) => {
    const before = new Map(all_[i]!.allocation.byResource.map((x) => [x.resource, x.power_kW])), after = new Map(now.allocation.byResource.map((x) => [x.resource, x.power_kW]))
    const change = [...new Set([...before.keys(), ...after.keys()])].map((r) => ({ name: name.get(r) ?? r, kW: (after.get(r) ?? 0) - (before.get(r) ?? 0) })).filter((x) => Math.abs(x.kW) > 0.0005)
    return { revision: now.revision, at: now.modifiedAt, gave: change.filter((x) => x.kW < 0), took: change.filter((x) => x.kW > 0) }
  })
  const list = (of: { name: string; kW: number }[]): string => of.length === 0 ? t('common.none') : listed(of.slice(0, 8).map((x) => `${x.name} ${power(Math.abs(x.kW))}`)) + (of.length > 8 ? ` +${of.length - 8}` : '')
  return (
    <section class="card"><h2>{t('dispatch.reallocation')}</h2>
      {moves.length === 0 ? <p>{t('dispatch.noMoves')}</p> : moves.map((m) => <div key={m.revision}><p><strong>{t('dispatch.revision', { n: m.revision })}</strong> <Time at={m.at} in={e.dispatch.timeZone} style="time" /></p><dl class="facts"><dt>{t('dispatch.moved')}</dt><dd translate={false}>{list(m.gave)}</dd><dt>{t('dispatch.took')}</dt><dd translate={false}>{list(m.took)}</dd></dl></div>)}
    </section>
  )
}

/** Everything that was done to this order, from the audit trail. */
function History({ id, zone, version }: { id: string; zone: string; version: number }) {
  const list = useLoad(() => get<List<AuditRecord>>(`/audit?entity=${id}&limit=1000`), [id, version])
  return (
    <section class="card"><h2>{t('dispatch.history')}</h2>
      <Await of={list}>{({ items }) => <ol class="trouble">{items.map((r) => <li key={r.seq} class="row"><Time at={r.at} in={zone} style="time" /><D>{r.actor}</D><a href={`#/audit?entity=${r.entity}`} translate={false}>{r.action}</a><D class="soft">{r.reason}</D></li>)}</ol>}</Await>
    </section>
  )
}
