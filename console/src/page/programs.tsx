import { useState } from 'preact/hooks'
import { all, get, orNone, post, type List } from '../api.ts'
import { count, percent, power, span } from '../format.ts'
import { useLoad } from '../live.ts'
import { go } from '../route.ts'
import { may } from '../session.ts'
import { t, type Key } from '../text/index.ts'
import type { Delivery, Dispatch, Enrolment, Program, ServicePoint } from '../types.ts'
import { Act, Await, D, Facts, Field, Figure, State, Time, text } from '../part/basics.tsx'
import { Table } from '../part/table.tsx'

export function Programs() {
  const list = useLoad(() => all<Program>('/programs'), [], { when: (m) => m.action.startsWith('program') })
  return (
    <>
      <div class="row"><h1 class="grow">{t('program.list')}</h1>{may('admin', 'operator') && <a class="button primary" href="#/programs/new">{t('program.create')}</a>}</div>
      <Await of={list}>{(rows) => <Table<Program> name="prog" caption="program.list" rows={rows} rowKey={(p) => p.id} empty="program.none" sort="name" search={(p) => p.name} columns={[
        { id: 'name', title: 'common.name', value: (p) => p.name, cell: (p) => <a href={`#/programs/${p.id}`} translate={false}>{p.name}</a> }, { id: 'direction', title: 'program.direction', value: (p) => p.direction, cell: (p) => t(`program.${p.direction}`) },
        { id: 'zone', title: 'program.zone', value: (p) => p.timeZone, cell: (p) => p.timeZone }, { id: 'method', title: 'program.method', value: (p) => p.baseline.method, cell: (p) => p.baseline.method },
        { id: 'price', title: 'program.energyPrice', num: true, value: (p) => p.energyPrice, cell: (p) => (p.energyPrice ? `${p.energyPrice} ${p.currency}` : '–') }, { id: 'state', title: 'common.state', value: (p) => p.state, cell: (p) => <State of={p.state} /> },
      ]} />}</Await>
    </>
  )
}

export function NewProgram() {
  const methods = useLoad(() => get<List<{ id?: string; name?: string; method?: string }>>('/baselines'), [])
  const [f, set] = useState({ name: '', timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone, direction: 'down', intervalMinutes: '15', method: 'CAISO_10IN10', level: 'portfolio', currency: 'USD', energyPrice: '', customerShare: '0.70', twoPerson: '', notice: '', maxMinutes: '', maxDay: '', maxOrder: '' })
  const input = (key: keyof typeof f, label: Key, props: object = {}) => <Field label={label}><input name={key} value={f[key]} onInput={text((v) => set({ ...f, [key]: v }))} {...props} /></Field>
  const pick = (key: keyof typeof f, label: Key, options: readonly (readonly [string, string])[]) => <Field label={label}><select name={key} value={f[key]} onChange={text((v) => set({ ...f, [key]: v }))}>{options.map(([v, name]) => <option key={v} value={v} translate={v === name ? false : undefined}>{name}</option>)}</select></Field>
  const number = (v: string): number | undefined => (v === '' ? undefined : Number(v))
  const create = async (): Promise<void> => {
    const limits = { twoPersonAbove_kW: number(f.twoPerson), minNotice_s: number(f.notice) === undefined ? undefined : Number(f.notice) * 60, maxDuration_s: number(f.maxMinutes) === undefined ? undefined : Number(f.maxMinutes) * 60, maxEventsPerDay: number(f.maxDay), maxOrder_kW: number(f.maxOrder) }
    const made = await post<Program>('/programs', { name: f.name, timeZone: f.timeZone, direction: f.direction, intervalMinutes: Number(f.intervalMinutes), baseline: { method: f.method, level: f.level }, currency: f.currency, customerShare: f.customerShare, ...(f.energyPrice ? { energyPrice: f.energyPrice } : {}), limits })
    go(`/programs/${made.id}`)
  }
  const names = methods.data?.items.map((m) => m.id ?? m.method ?? m.name ?? '').filter((x) => x !== '') ?? []
  return (
    <><h1>{t('program.create')}</h1><form class="card" onSubmit={(e) => e.preventDefault()}>
      <div class="form">{input('name', 'common.name', { required: true })}{input('timeZone', 'program.zone', { required: true })}{pick('direction', 'program.direction', (['down', 'up', 'both'] as const).map((d) => [d, t(`program.${d}`)]))}{pick('intervalMinutes', 'program.interval', ['5', '15', '30', '60'].map((x) => [x, x]))}</div>
      <div class="form">{pick('method', 'program.method', (names.length > 0 ? names : [f.method]).map((x) => [x, x]))}{pick('level', 'program.level', (['portfolio', 'point'] as const).map((x) => [x, t(`program.level.${x}`)]))}{input('currency', 'program.currency', { pattern: '[A-Z]{3}', required: true })}{input('energyPrice', 'program.energyPrice', { inputMode: 'decimal' })}{input('customerShare', 'program.share', { inputMode: 'decimal', required: true })}</div>
      <fieldset><legend>{t('program.limits')}</legend><div class="form">{input('twoPerson', 'program.twoPerson', { type: 'number', min: 0 })}{input('notice', 'program.notice', { type: 'number', min: 0 })}{input('maxMinutes', 'program.maxHours', { type: 'number', min: 1 })}{input('maxDay', 'program.maxDay', { type: 'number', min: 0 })}{input('maxOrder', 'program.maxOrder', { type: 'number', min: 0 })}</div></fieldset>
      <p class="soft">{t('program.bothPlusDefaults')}</p><Act type="submit" kind="primary" label="program.save" disabled={f.name === ''} do={create} />
    </form></>
  )
}

interface Kpis { participationRate: number | null; optOutRate: number | null; commsLossRate: number | null; deliveryRatio: number | null; costPerMW: string | null; events: number; enrolled: number; active: number; reliability: number | null; latency_ms: { p95: number | null } }

export function ProgramPage({ id }: { id: string }) {
  const found = useLoad(async () => {
    const program = await get<Program>(`/programs/${encodeURIComponent(id)}`)
    const [enrolments, points, kpis, dispatches] = await Promise.all([orNone(all<Enrolment>(`/enrolments?program=${program.id}`)), orNone(all<ServicePoint>('/service-points')), orNone(get<Kpis>(`/kpis?program=${program.id}`)), all<Dispatch>(`/dispatches?program=${program.id}`)])
    return { program, enrolments: enrolments ?? [], names: new Map(points?.map((p) => [p.id, p.name])), kpis, dispatches }
  }, [id], { every: 15_000, when: (m) => m.action.startsWith('enrolment') || m.action.startsWith('dispatch'), pause: 3000 })
  return <Await of={found}>{({ program: p, enrolments, names, kpis: k, dispatches }) => (
    <>
      <div class="row"><h1 class="grow" translate={false}>{p.name}</h1><State of={p.state} /><a class="button primary" href="#/dispatches/new">{t('dispatch.create')}</a></div>
      <section class="card"><Facts of={[
        ['program.direction', <span>{t(`program.${p.direction}`)}</span>], ['program.zone', p.timeZone], ['program.interval', String(p.intervalMinutes)], ['program.method', <a href={`#/baselines?program=${p.id}`} translate={false}>{p.baseline.method}</a>], ['program.level', <span>{t(p.baseline.level === 'point' ? 'program.level.point' : 'program.level.portfolio')}</span>],
        ['program.energyPrice', p.energyPrice ? `${p.energyPrice} ${p.currency}` : '–'], ['program.share', p.customerShare], ['program.version', String(p.programVersion)], ['program.limits', Object.keys(p.limits).length === 0 ? <span>{t('program.noLimits')}</span> : Object.entries(p.limits).map(([a, b]) => `${a} ${String(b)}`).join(', ')],
      ]} /></section>
      {k && <><h2>{t('kpi.title')}</h2><div class="cards">
        <Figure label="kpi.events" value={count(k.events)} /><Figure label="kpi.active" value={count(k.active)} /><Figure label="kpi.participation" value={percent(k.participationRate)} /><Figure label="kpi.optOut" value={percent(k.optOutRate)} /><Figure label="kpi.comms" value={percent(k.commsLossRate)} /><Figure label="kpi.ratio" value={percent(k.deliveryRatio)} /><Figure label="kpi.reliability" value={percent(k.reliability)} /><Figure label="kpi.latency" value={k.latency_ms.p95 === null ? '–' : span(k.latency_ms.p95)} />
      </div></>}
      <OptOutCurve dispatches={dispatches} zone={p.timeZone} />
      <Enrolments program={p} enrolments={enrolments} names={names} reload={found.reload} />
    </>)}</Await>
}

function OptOutCurve({ dispatches, zone }: { dispatches: Dispatch[]; zone: string }) {
  const ran = dispatches.filter((d) => ['active', 'completed', 'verified', 'settled'].includes(d.state)).sort((a, b) => a.start.localeCompare(b.start)).slice(-30)
  const curve = useLoad(async () => Promise.all(ran.map(async (d) => {
    const list = await all<Delivery>(`/dispatches/${d.id}/deliveries`), lost = list.filter((x) => ['optedOut', 'rejected', 'noComms'].includes(x.state)).length
    return { d, told: list.length, lost }
  })), [ran.map((d) => d.id + d.state).join()])
  return (
    <section><h2>{t('kpi.curve')}</h2><Await of={curve}>{(rows) => rows.length === 0 ? <p class="card empty">{t('kpi.none')}</p> : (
      <div class="scroll" tabIndex={0} role="region" aria-label={t('kpi.curveLabel')}><table><thead><tr><th scope="col">{t('nav.dispatches')}</th><th scope="col" class="num">{t('kpi.told')}</th><th scope="col" class="num">{t('kpi.lost')}</th><th scope="col">{t('kpi.curveLabel')}</th></tr></thead>
        <tbody>{rows.map(({ d, told, lost }) => <tr key={d.id}><td><a href={`#/dispatches/${d.id}`}><Time at={d.start} in={zone} /></a></td><td class="num" translate={false}>{count(told)}</td><td class="num" translate={false}>{count(lost)}</td><td class="row"><meter class="grow" min={0} max={1} value={told ? lost / told : 0} aria-label={t('kpi.lost')} /><D>{percent(told ? lost / told : null)}</D></td></tr>)}</tbody></table></div>)}</Await></section>
  )
}

const nextSteps: Readonly<Record<string, readonly string[]>> = { applied: ['eligible', 'rejected'], eligible: ['verified', 'rejected'], verified: ['active'], active: ['suspended', 'withdrawn'], suspended: ['active', 'withdrawn'] }
const way = ['eligible', 'verified', 'active'] as const

function Enrolments({ program, enrolments, names, reload }: { program: Program; enrolments: Enrolment[]; names: Map<string, string>; reload: () => void }) {
  const [f, set] = useState({ point: '', nominated: '', share: '', consent: true }), keeper = may('admin', 'operator')
  const states = [...new Set(enrolments.map((e) => e.state))]
  const invite = async (): Promise<void> => {
    await post('/enrolments', bodyOf(program.id, { servicePoint: f.point, nominated_kW: f.nominated, share: f.share }, f.consent))
    set({ ...f, point: '', nominated: '', share: '' })
    reload()
  }
  return (
    <section><h2>{t('enrol.title')}</h2>
      <p class="row">{t('enrol.states')}: {states.map((s) => <span key={s} class="row"><State of={s} /><D>{count(enrolments.filter((e) => e.state === s).length)}</D></span>)}</p>
      {keeper && <div class="columns">
        <form class="card" onSubmit={(e) => e.preventDefault()}><h3>{t('enrol.invite')}</h3><div class="form">
          <Field label="enrol.point"><input name="point" list="points" value={f.point} onInput={text((v) => set({ ...f, point: v }))} /><datalist id="points">{[...names.values()].filter((n) => !enrolments.some((e) => names.get(e.servicePoint) === n && e.state === 'active')).slice(0, 200).map((n) => <option key={n} value={n} />)}</datalist></Field>
          <Field label="enrol.nominated"><input name="nominated" type="number" min="0" step="any" value={f.nominated} onInput={text((v) => set({ ...f, nominated: v }))} /></Field></div>
          <label class="check"><input type="checkbox" checked={f.consent} onChange={(e) => set({ ...f, consent: e.currentTarget.checked })} /> {t('enrol.consent')}</label>
          <Act label="enrol.do" type="submit" kind="primary" disabled={f.point === ''} do={invite} />
        </form>
        <Bulk program={program.id} reload={reload} />
      </div>}
      <Table<Enrolment> name="en" caption="enrol.title" rows={enrolments} rowKey={(e) => e.id} empty="enrol.none" sort="point" search={(e) => names.get(e.servicePoint) ?? e.servicePoint} filters={[{ id: 'state', title: 'common.state', value: (e) => e.state }]} columns={[
        { id: 'point', title: 'enrol.point', value: (e) => names.get(e.servicePoint) ?? e.servicePoint, cell: (e) => <a href={`#/readings/${e.servicePoint}`} translate={false}>{names.get(e.servicePoint) ?? e.servicePoint}</a> },
        { id: 'state', title: 'common.state', value: (e) => e.state, cell: (e) => <State of={e.state} /> }, { id: 'since', title: 'enrol.since', value: (e) => e.modifiedAt, cell: (e) => <Time at={e.modifiedAt} in={program.timeZone} /> },
        { id: 'nominated', title: 'enrol.nominated', num: true, value: (e) => e.nominated_kW, cell: (e) => power(e.nominated_kW) }, { id: 'share', title: 'program.share', num: true, value: (e) => e.share, cell: (e) => e.share ?? program.customerShare },
        { id: 'next', title: 'enrol.next', cell: (e) => keeper ? <details><summary>{t('enrol.next')}</summary><div class="row">{(nextSteps[e.state] ?? []).map((to) => <Act key={to} label={`enrol.to.${to}` as Key} do={async () => { await post(`/enrolments/${e.id}/transitions`, { to }); reload() }} />)}{way.includes(nextSteps[e.state]?.[0] as 'eligible') && e.state !== 'suspended' && <Act label="enrol.allSteps" do={async () => { for (const to of way.slice(way.indexOf(nextSteps[e.state]![0] as 'eligible'))) await post(`/enrolments/${e.id}/transitions`, { to }); reload() }} />}</div></details> : '' },
      ]} />
    </section>
  )
}

const bodyOf = (program: string, r: { servicePoint: string; nominated_kW?: string; share?: string }, consent: boolean): object => ({ program, servicePoint: r.servicePoint, ...(r.nominated_kW ? { nominated_kW: Number(r.nominated_kW) } : {}), ...(r.share ? { share: r.share } : {}), ...(consent ? { consent: { purpose: 'demand-response', grantedAt: new Date().toISOString() } } : {}) })

interface Row { servicePoint: string; nominated_kW?: string; share?: string }

/** A list of service points; each row is tried by itself, and what came of it stands beside it. */
function Bulk({ program, reload }: { program: string; reload: () => void }) {
  const [rows, setRows] = useState<Row[]>([]), [results, setResults] = useState<(string | true)[]>([])
  const read = async (file: File | undefined): Promise<void> => {
    if (!file) return
    const [header = '', ...lines] = (await file.text()).replace(/^\uFEFF/, '').split(/\r?\n/).filter((l) => l.trim() !== ''), names = header.split(',').map((h) => h.trim())
    setRows(lines.map((l) => Object.fromEntries(l.split(',').map((c, i) => [names[i] ?? '', c.trim()])) as unknown as Row))
    setResults([])
  }
  const upload = async (): Promise<void> => {
    const out: (string | true)[] = []
    for (const r of rows) {
      out.push(await post('/enrolments', bodyOf(program, r, true)).then(() => true as const, (error: Error) => error.message))
      setResults([...out])
    }
    reload()
  }
  return (
    <form class="card" onSubmit={(e) => e.preventDefault()}><h3>{t('enrol.bulk')}</h3><Field label="enrol.bulk" help={t('enrol.bulkHelp')}><input name="list" type="file" accept=".csv,text/csv" onChange={(e) => void read(e.currentTarget.files?.[0])} /></Field>
      {rows.length > 0 && <><Act label="enrol.upload" values={{ n: rows.length }} kind="primary" disabled={results.length > 0} do={upload} />
        <div class="scroll" tabIndex={0} role="region" aria-label={t('enrol.bulk')}><table><thead><tr><th scope="col" class="num">{t('enrol.row')}</th><th scope="col">{t('enrol.point')}</th><th scope="col">{t('enrol.result')}</th></tr></thead><tbody>{rows.slice(0, 1000).map((r, i) => <tr key={i}><td class="num" translate={false}>{i + 1}</td><td translate={false}>{r.servicePoint}</td><td>{results[i] === true ? t('enrol.ok') : <D>{results[i] ?? ''}</D>}</td></tr>)}</tbody></table></div></>}
    </form>
  )
}
