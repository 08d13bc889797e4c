import { useState } from 'preact/hooks'
import { all, get, orNone, post } from '../api.ts'
import { energy, fieldsOf, money, when } from '../format.ts'
import { useLoad } from '../live.ts'
import { go } from '../route.ts'
import { may, serverNow, zone } from '../session.ts'
import { t, word, type Key } from '../text/index.ts'
import type { Dispatch, Program, Run, ServicePoint, Statement } from '../types.ts'
import { Act, Await, D, Facts, Field, Figure, State, Time, download, text } from '../part/basics.tsx'
import { Table } from '../part/table.tsx'

const runTable = (programs: Map<string, Program>) => [
  { id: 'period', title: 'settle.period' as Key, value: (r: Run) => r.from, cell: (r: Run) => <a href={`#/settlement/${r.id}`}><Time at={r.from} style="day" /> – <Time at={r.to} style="day" /></a> },
  { id: 'program', title: 'new.program' as Key, value: (r: Run) => programs.get(r.program)?.name ?? r.program, cell: (r: Run) => <D>{programs.get(r.program)?.name ?? r.program}</D> },
  { id: 'run', title: 'enrol.row' as Key, num: true, value: (r: Run) => r.runNumber, cell: (r: Run) => <D>{r.runNumber}</D> },
  { id: 'state', title: 'common.state' as Key, value: (r: Run) => r.state, cell: (r: Run) => <State of={r.state} /> },
  { id: 'revenue', title: 'settle.revenue' as Key, num: true, value: (r: Run) => r.revenue, cell: (r: Run) => <D>{money(r.revenue, r.currency)}</D> }, { id: 'pool', title: 'settle.pool' as Key, num: true, value: (r: Run) => r.customerPool, cell: (r: Run) => <D>{money(r.customerPool, r.currency)}</D> },
]

export function Settlement() {
  const found = useLoad(async () => {
    const [runs, programs, disputes] = await Promise.all([all<Run>('/settlement-runs'), all<Program>('/programs'), orNone(all<Dispute>('/disputes'))])
    return { runs, programs, disputes: disputes ?? [] }
  }, [], { when: (m) => m.action.startsWith('settlementRun') || m.action.startsWith('dispute') })
  return (
    <><h1>{t('settle.list')}</h1><Await of={found}>{({ runs, programs, disputes }) => (
      <>
        {may('admin', 'settlement') && programs.length > 0 && <NewRun programs={programs} />}
        <h2>{t('settle.runs')}</h2><Table<Run> name="run" caption="settle.runs" rows={runs} rowKey={(r) => r.id} empty="settle.none" sort="-period" filters={[{ id: 'state', title: 'common.state', value: (r) => r.state }]} columns={runTable(new Map(programs.map((p) => [p.id, p])))} />
        <h2>{t('dispute.list')}</h2><Table<Dispute> name="dis" caption="dispute.list" rows={disputes} rowKey={(d) => d.id} empty="dispute.none" sort="-created" filters={[{ id: 'state', title: 'common.state', value: (d) => d.state }]} columns={[
          { id: 'created', title: 'common.at', value: (d) => d.createdAt, cell: (d) => <a href={`#/disputes/${d.id}`}><Time at={d.createdAt} /></a> }, { id: 'state', title: 'common.state', value: (d) => d.state, cell: (d) => <State of={d.state} /> }, { id: 'reason', title: 'common.reason', value: (d) => d.reason, cell: (d) => d.reason }, { id: 'answerBy', title: 'dispute.answerBy', value: (d) => d.answerBy, cell: (d) => <Time at={d.answerBy} style="day" /> },
        ]} />
      </>)}</Await></>
  )
}

function NewRun({ programs }: { programs: Program[] }) {
  const today = fieldsOf(serverNow(), programs[0]!.timeZone).day, [f, set] = useState({ program: programs[0]!.id, from: `${today.slice(0, 7)}-01`, to: new Date(Date.UTC(Number(today.slice(0, 4)), Number(today.slice(5, 7)), 1)).toISOString().slice(0, 10), reason: '' })
  const make = async (): Promise<void> => { const r = await post<Run>('/settlement-runs', { program: f.program, from: `${f.from}T00:00`, to: `${f.to}T00:00`, ...(f.reason ? { reason: f.reason } : {}) }); go(`/settlement/${r.id}`) }
  return (
    <details class="card"><summary>{t('settle.new')}</summary><form onSubmit={(e) => e.preventDefault()}><div class="form">
      <Field label="new.program"><select name="program" value={f.program} onChange={text((v) => set({ ...f, program: v }))}>{programs.map((p) => <option key={p.id} value={p.id} translate={false}>{p.name}</option>)}</select></Field>
      <Field label="common.from"><input name="from" type="date" value={f.from} onInput={text((v) => set({ ...f, from: v }))} /></Field><Field label="common.to"><input name="to" type="date" value={f.to} onInput={text((v) => set({ ...f, to: v }))} /></Field><Field label="common.reason"><input name="reason" value={f.reason} onInput={text((v) => set({ ...f, reason: v }))} /></Field>
    </div><Act label="settle.do" type="submit" kind="primary" do={make} /></form></details>
  )
}

interface RunDetail extends Run { input: { terms: { energyPrice: string | null; customerShare: string; method: string; level: string; floorLevel: string; cap: string | null }; events: { dispatch: string; status: string; committed_kW: string; days: string[]; inputHash: string }[] }; result: { tax: string; unverified: string[]; events: { dispatch: string; revenue: string; energy_Wh: Record<string, number>; trace: unknown }[] } }

export function RunPage({ id }: { id: string }) {
  const found = useLoad(async () => {
    const run = await get<RunDetail>(`/settlement-runs/${id}`)
    const [statements, points, program, dispatches] = await Promise.all([all<Statement>(`/statements?run=${run.id}`), orNone(all<ServicePoint>('/service-points')), get<Program>(`/programs/${run.program}`), all<Dispatch>(`/dispatches?program=${run.program}`)])
    return { run, statements, names: new Map(points?.map((p) => [p.id, p.name])), program, dispatches: new Map(dispatches.map((d) => [d.id, d])) }
  }, [id], { when: (m) => m.entity === id })
  const me = useLoad(() => get<{ user: string }>('/me'), [])
  return <Await of={found}>{({ run: r, statements, names, program, dispatches }) => {
    const step = (verb: 'approve' | 'issue') => async (): Promise<void> => { await post(`/settlement-runs/${r.id}/${verb}`, {}, { 'if-match': `"${r.version}"` }); found.reload() }
    return (
      <>
        <div class="row"><div class="grow"><h1>{t('settle.run', { n: r.runNumber })} · <D>{program.name}</D></h1><p class="row"><State of={r.state} /><span><Time at={r.from} in={program.timeZone} style="day" /> – <Time at={r.to} in={program.timeZone} style="day" /></span><D class="soft">{program.timeZone}</D></p></div>
          {r.state === 'calculated' && may('admin', 'approver') && (me.data?.user === r.calculatedBy ? <p class="soft">{t('settle.sameUser')}</p> : <Act label="settle.approve" kind="primary" do={step('approve')} />)}{r.state === 'approved' && may('admin', 'settlement', 'approver') && <Act label="settle.issue" kind="primary" do={step('issue')} />}
          <button type="button" onClick={() => download(`run-${r.id}.json`, 'application/json', JSON.stringify(r, null, 2))}>{t('settle.inputFile')}</button></div>
        <div class="cards"><Figure label="settle.revenue" value={money(r.revenue, r.currency)} /><Figure label="settle.pool" value={money(r.customerPool, r.currency)} /><Figure label="settle.aggregator" value={money(r.aggregator, r.currency)} /></div>
        <section class="card"><Facts of={[
          ['settle.calculatedBy', <><D>{r.calculatedBy}</D> <Time at={r.createdAt} /></>], ['settle.approvedBy', r.approvedBy ?? '–'], ['statement.price', r.input.terms.energyPrice ? `${r.input.terms.energyPrice} ${r.currency}` : '–'], ['statement.share', r.input.terms.customerShare], ['verify.method', `${r.input.terms.method} (${r.input.terms.level})`],
          r.supersedes !== null && ['settle.supersedes', <a href={`#/settlement/${r.supersedes}`} translate={false}>{r.supersedes}</a>], ['settle.hashes', `${r.inputHash} → ${r.resultHash}`],
        ]} /><p class="soft">{t('settle.recompute')}</p>{r.result.unverified.length > 0 && <p class="problem">{t('settle.unverified', { names: r.result.unverified.join(', ') })}</p>}</section>
        <h2>{t('settle.events')}</h2>
        <Table name="ev" caption="settle.events" rows={r.input.events} rowKey={(e) => e.dispatch} empty="settle.noStatements" columns={[
          { id: 'event', title: 'statement.event', value: (e) => dispatches.get(e.dispatch)?.start ?? e.dispatch, cell: (e) => <a href={`#/verification/${e.dispatch}`}><Time at={dispatches.get(e.dispatch)?.start} in={program.timeZone} /></a> }, { id: 'status', title: 'common.state', value: (e) => e.status, cell: (e) => <State of={e.status} /> },
          { id: 'committed', title: 'settle.committed', num: true, value: (e) => e.committed_kW, cell: (e) => `${e.committed_kW} kW` }, { id: 'paid', title: 'statement.paid', num: true, value: (e) => sum(r, e.dispatch), cell: (e) => energy(sum(r, e.dispatch)) }, { id: 'revenue', title: 'settle.revenue', num: true, value: (e) => r.result.events.find((x) => x.dispatch === e.dispatch)?.revenue, cell: (e) => money(r.result.events.find((x) => x.dispatch === e.dispatch)?.revenue, r.currency) },
          { id: 'trace', title: 'settle.trace', hidden: true, cell: (e) => <pre translate={false} tabIndex={0}>{JSON.stringify(r.result.events.find((x) => x.dispatch === e.dispatch)?.trace, null, 1)}</pre> },
        ]} />
        <h2>{t('settle.statements')}</h2>
        <Table<Statement> name="st" caption="settle.statements" rows={statements} rowKey={(s) => s.id} empty="settle.noStatements" sort="-amount" search={(s) => names.get(s.servicePoint) ?? s.servicePoint} step={50} columns={[
          { id: 'point', title: 'device.point', value: (s) => names.get(s.servicePoint) ?? s.servicePoint, cell: (s) => <a href={`#/statements/${s.id}`} translate={false}>{names.get(s.servicePoint) ?? s.servicePoint}</a> }, { id: 'delivered_kWh', title: 'statement.paid', num: true, value: (s) => s.delivered_kWh, cell: (s) => energy(s.delivered_kWh) },
          { id: 'amount', title: 'settle.amount', num: true, value: (s) => Number(s.amount), cell: (s) => money(s.amount, s.currency) }, { id: 'delta', title: 'settle.delta', num: true, value: (s) => Number(s.delta), cell: (s) => money(s.delta, s.currency) },
        ]} />
      </>)
  }}</Await>
}
const sum = (r: RunDetail, dispatch: string): number => Object.values(r.result.events.find((x) => x.dispatch === dispatch)?.energy_Wh ?? {}).reduce((a, b) => a + b, 0) / 1000

/** One participant's statement; the browser's print makes the PDF (UX-064). */
export function StatementPage({ id }: { id: string }) {
  const found = useLoad(async () => {
    const s = await get<Statement>(`/statements/${id}`), [point, run] = await Promise.all([get<ServicePoint>(`/service-points/${s.servicePoint}`), get<Run>(`/settlement-runs/${s.run}`)]), [program, dispatches] = await Promise.all([get<Program>(`/programs/${run.program}`), all<Dispatch>(`/dispatches?program=${run.program}`)])
    return { s, point, run, program, dispatches: new Map(dispatches.map((d) => [d.id, d])) }
  }, [id])
  return <Await of={found}>{({ s, point, run, program, dispatches }) => {
    const readings = (d: Dispatch | undefined): string => d ? `#/readings/${s.servicePoint}?from=${encodeURIComponent(new Date(Date.parse(d.start) - 3_600_000).toISOString())}&to=${encodeURIComponent(new Date(Date.parse(d.end) + 3_600_000).toISOString())}&start=${encodeURIComponent(d.start)}&end=${encodeURIComponent(d.end)}` : `#/readings/${s.servicePoint}`
    return (
      <article>
        <div class="row noprint"><a href={`#/settlement/${run.id}`}>{t('settle.run', { n: run.runNumber })}</a><span class="grow" /><button type="button" onClick={() => print()}>{t('common.print')}</button><button type="button" onClick={() => download(`statement-${s.id}.json`, 'application/json', JSON.stringify(s, null, 2))}>{t('statement.file')}</button></div>
        <h1>{t('statement.for', { point: point.name })}</h1>
        <div class="cards"><Figure label="settle.amount" value={money(s.amount, s.currency)} /><Figure label="statement.paid" value={energy(s.delivered_kWh)} /></div>
        <section class="card"><Facts of={[
          ['nav.programs', program.name], ['settle.period', `${when(s.body.period.from * 1000, program.timeZone, 'day')} – ${when(s.body.period.to * 1000, program.timeZone, 'day')} (${program.timeZone})`], ['common.state', <State of={run.state} />], ['settle.delta', money(s.delta, s.currency)], ['statement.price', s.body.price ? `${s.body.price} ${s.currency}` : '–'], ['statement.share', s.body.share], ['verify.method', `${s.body.method} (${s.body.level})`], ['common.raw', s.id],
        ]} /></section>
        <h2>{t('statement.lines')}</h2>
        {s.body.lines.length === 0 ? <p>{t('statement.noLine')}</p> : <div class="scroll" tabIndex={0} role="region" aria-label={t('statement.lines')}><table><thead><tr><th scope="col">{t('statement.event')}</th><th scope="col" class="num">{t('statement.paid')}</th><th scope="col" class="num">{t('statement.own')}</th><th scope="col" class="num">{t('settle.amount')}</th><th scope="col">{t('statement.days')}</th><th scope="col">{t('common.state')}</th></tr></thead>
          <tbody>{s.body.lines.map((l) => <tr key={l.dispatch}><td><a href={`#/verification/${l.dispatch}`}><Time at={dispatches.get(l.dispatch)?.start} in={program.timeZone} /></a></td><td class="num" translate={false}>{energy(l.paid_kWh)}</td><td class="num"><a href={readings(dispatches.get(l.dispatch))} translate={false}>{energy(l.own_kWh)}</a></td><td class="num" translate={false}>{money(l.amount, s.currency)}</td><td translate={false}>{l.days?.join(', ')}</td><td><State of={l.status} /></td></tr>)}</tbody></table></div>}
        <p class="soft">{t('statement.levels')} {t('statement.disputeUntil', { day: when(s.body.dispute.until * 1000, program.timeZone, 'day') })}</p>
        {may('admin', 'operator', 'settlement') && <OpenDispute s={s} dispatches={dispatches} zone={program.timeZone} />}
      </article>)
  }}</Await>
}

function OpenDispute({ s, dispatches, zone: z }: { s: Statement; dispatches: Map<string, Dispatch>; zone: string }) {
  const [f, set] = useState({ line: '', reason: '', party: '', evidence: '' })
  const open = async (): Promise<void> => { const d = await post<{ id: string }>('/disputes', { statement: s.id, reason: f.reason, ...(f.line ? { line: f.line } : {}), ...(f.party ? { party: f.party } : {}), ...(f.evidence ? { evidence: f.evidence.split('\n').filter((x) => x.trim() !== '') } : {}) }); go(`/disputes/${d.id}`) }
  return (
    <details class="card noprint"><summary>{t('statement.dispute')}</summary><form onSubmit={(e) => e.preventDefault()}><div class="form">
      <Field label="dispute.line"><select name="line" value={f.line} onChange={text((v) => set({ ...f, line: v }))}><option value="">{t('dispute.whole')}</option>{s.body.lines.map((l) => <option key={l.dispatch} value={l.dispatch} translate={false}>{when(dispatches.get(l.dispatch)?.start, z)}</option>)}</select></Field><Field label="dispute.party"><input name="party" value={f.party} onInput={text((v) => set({ ...f, party: v }))} /></Field></div>
      <Field label="dispute.reason"><textarea name="reason" rows={2} value={f.reason} onInput={text((v) => set({ ...f, reason: v }))} /></Field><Field label="dispute.evidence"><textarea name="evidence" rows={2} value={f.evidence} onInput={text((v) => set({ ...f, evidence: v }))} /></Field>
      <Act label="dispute.open" type="submit" kind="primary" disabled={f.reason.trim() === ''} do={open} /></form></details>
  )
}

interface Dispute { id: string; version: number; createdAt: string; statement: string; run: string; servicePoint: string; line: string | null; reason: string; party: string | null; evidence: string[]; state: string; answerBy: string; adjustment: string | null; history: { from: string | null; to: string; at: string; by: string; reason?: string }[] }
const moves: Readonly<Record<string, readonly string[]>> = { opened: ['underReview'], underReview: ['upheld', 'partlyUpheld', 'rejected'], upheld: ['closed'], partlyUpheld: ['closed'], rejected: ['closed'] }

export function DisputePage({ id }: { id: string }) {
  const found = useLoad(() => get<Dispute>(`/disputes/${id}`), [id], { when: (m) => m.entity === id }), [f, set] = useState({ reason: '', adjustment: '' })
  return <Await of={found}>{(d) => {
    const move = (to: string) => async (): Promise<void> => { await post(`/disputes/${d.id}/transitions`, { to, version: d.version, ...(f.reason ? { reason: f.reason } : {}), ...(f.adjustment ? { adjustment: f.adjustment } : {}) }); set({ reason: '', adjustment: '' }); found.reload() }
    const again = async (): Promise<void> => { const r = await get<Run>(`/settlement-runs/${d.run}`), made = await post<Run>('/settlement-runs', { program: r.program, from: r.from, to: r.to, reason: `dispute ${d.id}` }); go(`/settlement/${made.id}`) }
    return (
      <><div class="row"><h1 class="grow">{t('dispute.title')}</h1><State of={d.state} /></div>
        <section class="card"><Facts of={[['dispute.reason', d.reason], ['dispute.statement', <a href={`#/statements/${d.statement}`}>{t('statement.title')}</a>], ['dispute.line', d.line ? <a href={`#/verification/${d.line}`} translate={false}>{d.line}</a> : <span>{t('dispute.whole')}</span>], ['dispute.party', d.party ?? '–'], ['dispute.answerBy', <Time at={d.answerBy} style="day" />], ['dispute.evidence', d.evidence.join('\n') || '–'], ['dispute.adjustment', d.adjustment ?? '–']]} /></section>
        {may('admin', 'settlement') && (moves[d.state]?.length ?? 0) > 0 && <section class="card"><h2>{t('dispute.move')}</h2><div class="form"><Field label="dispute.comment"><input name="comment" value={f.reason} onInput={text((v) => set({ ...f, reason: v }))} /></Field><Field label="dispute.adjustment"><input name="adjustment" inputMode="decimal" value={f.adjustment} onInput={text((v) => set({ ...f, adjustment: v }))} /></Field></div><div class="row">{moves[d.state]!.map((to) => <Act key={to} label={`dispute.to.${to}` as Key} do={move(to)} />)}<Act label="dispute.recompute" do={again} /></div></section>}
        <section class="card"><h2>{t('dispute.history')}</h2><ul>{d.history.map((h) => <li key={h.at + h.to}><Time at={h.at} in={zone()} /> <D>{h.by}</D>: {word('state', h.to)} {h.reason && <D class="soft">“{h.reason}”</D>}</li>)}</ul></section></>)
  }}</Await>
}
