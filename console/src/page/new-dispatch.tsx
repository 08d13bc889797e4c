import { useState } from 'preact/hooks'
import { ApiError, get, post, type List } from '../api.ts'
import { count, fieldsOf, power, span, utc } from '../format.ts'
import { useGone, useLoad } from '../live.ts'
import { go, usePlace } from '../route.ts'
import { serverNow } from '../session.ts'
import { knows, t, word, type Key } from '../text/index.ts'
import { protocols, type Device, type Dispatch, type Program } from '../types.ts'
import { Act, Await, D, Failure, Field, text } from '../part/basics.tsx'
import { directionOf, orderWords, window } from '../part/dispatch-words.tsx'
import { Table } from '../part/table.tsx'

interface Form { program: string; power_kW: string; day: string; start: string; end: string; reason: string; mode: string; aggregation: string; test: boolean }
const modes = ['merit', 'proportional', 'rotation', 'optimal'] as const
const draftKey = 'loadstone.draft'

/** Order with a preview first; what was typed survives a lost server and a reload (UX-048, UX-056). */
export function NewDispatch() {
  const { search } = usePlace()
  const base = useLoad(async () => {
    const [programs, dispatches, copy] = await Promise.all([get<List<Program>>('/programs'), get<List<Dispatch>>('/dispatches?limit=1000'), search.get('copy') ? get<Dispatch>(`/dispatches/${search.get('copy')}`) : undefined])
    return { programs: programs.items.filter((p) => p.state === 'open'), last: dispatches.items.sort((a, b) => a.createdAt.localeCompare(b.createdAt)).at(-1), copy }
  }, [search.get('copy')])
  return <><h1>{t('new.title')}</h1><Await of={base}>{(b) => b.programs.length === 0 ? <p class="card empty">{t('program.none')} <a href="#/programs/new">{t('program.create')}</a></p> : <Order {...b} />}</Await></>
}

const nextDay = (day: string): string => new Date(Date.parse(`${day}T12:00:00Z`) + 86_400_000).toISOString().slice(0, 10)

function formOf(kind: string, programs: readonly Program[], from: Dispatch | undefined): Form {
  const p = programs.find((x) => x.id === from?.program) ?? programs[0]!, today = fieldsOf(serverNow(), p.timeZone), blank: Form = { program: p.id, power_kW: '', day: today.day, start: '', end: '', reason: '', mode: p.mode, aggregation: '', test: false }
  if (kind === 'last' && from) {
    const start = fieldsOf(Date.parse(from.start), p.timeZone)
    return { ...blank, power_kW: String(from.power_kW), day: nextDay(start.day > today.day ? start.day : today.day), start: start.time, end: fieldsOf(Date.parse(from.end), p.timeZone).time, reason: from.reason ?? '', mode: from.mode, aggregation: from.scope?.aggregation ?? '' }
  }
  if (kind === 'peak') return { ...blank, day: today.time < '15:00' ? today.day : nextDay(today.day), start: '16:00', end: '18:00', power_kW: from ? String(from.power_kW) : '' }
  if (kind === 'hour') {
    const next = Math.ceil((serverNow() + 600_000) / 3_600_000) * 3_600_000, at = fieldsOf(next, p.timeZone)
    return { ...blank, day: at.day, start: at.time, end: fieldsOf(next + 3_600_000, p.timeZone).time, power_kW: from ? String(from.power_kW) : '' }
  }
  return blank
}

/** Local words go to the server as they are: it resolves them in the program's zone, and refuses an hour that does not exist or comes twice (REL-036). */
const bodyOf = (f: Form, more: object): object => ({
  program: f.program, power_kW: Number(f.power_kW), start: `${f.day}T${f.start}`, end: `${f.end > f.start ? f.day : nextDay(f.day)}T${f.end}`, mode: f.mode, ...(f.reason ? { reason: f.reason } : {}), ...(f.aggregation ? { scope: { aggregation: f.aggregation } } : {}), ...(f.test ? { test: true } : {}), ...more,
})

function Order({ programs, last, copy }: { programs: Program[]; last: Dispatch | undefined; copy: Dispatch | undefined }) {
  const kept = sessionStorage.getItem(draftKey), gone = useGone()
  const [form, set] = useState<Form>(() => copy ? formOf('last', programs, copy) : kept ? JSON.parse(kept) as Form : formOf('blank', programs, undefined)), [preview, setPreview] = useState<{ of: string; answer: Dispatch }>(), [refused, setRefused] = useState<ApiError>(), [emergency, setEmergency] = useState<string[]>([])
  const [key, setKey] = useState(() => crypto.randomUUID())
  const program = programs.find((p) => p.id === form.program) ?? programs[0]!, now = JSON.stringify([form, emergency])
  const change = (part: Partial<Form>): void => { const next = { ...form, ...part }; set(next); setKey(crypto.randomUUID()); sessionStorage.setItem(draftKey, JSON.stringify(next)) }
  const complete = form.power_kW !== '' && form.day !== '' && form.start !== '' && form.end !== ''
  const send = async (more: object, headers?: Record<string, string>): Promise<Dispatch | undefined> => {
    setRefused(undefined)
    try {
      return await post<Dispatch>('/dispatches', bodyOf(form, { ...more, ...(emergency.length > 0 ? { emergency } : {}) }), headers)
    } catch (error) {
      if (error instanceof ApiError && error.problem.checks) { setRefused(error); return undefined }
      throw error
    }
  }
  const look = async (): Promise<void> => { const answer = await send({ dryRun: true }); setPreview(answer ? { of: now, answer } : undefined) }
  const order = async (): Promise<void> => {
    const made = await send({}, { 'idempotency-key': key })
    if (!made) return
    sessionStorage.removeItem(draftKey)
    go(`/dispatches/${made.id}`)
  }
  const direction = program.direction === 'up' ? 'up' : 'down'
  return (
    <>
      <form class="card" onSubmit={(e) => { e.preventDefault(); if (complete && gone === null) void look() }}>
        <div class="form">
          <Field label="new.template"><select name="template" onChange={(e) => change(formOf(e.currentTarget.value, programs, last))}><option value="blank">{t('new.blank')}</option>{last && <option value="last" selected={copy !== undefined}>{t('new.last')}</option>}<option value="peak">{t('new.peak')}</option><option value="hour">{t('new.hour')}</option></select></Field>
          <Field label="new.program"><select name="program" value={form.program} onChange={text((v) => change({ program: v }))}>{programs.map((p) => <option key={p.id} value={p.id} translate={false}>{p.name}</option>)}</select></Field>
          <Field label="new.power" help={t(`new.powerHelp.${direction}`)}><input name="power" type="number" required min={program.direction === 'both' ? undefined : '0.1'} step="any" value={form.power_kW} onInput={text((v) => change({ power_kW: v }))} /></Field>
        </div>
        <div class="form">
          <Field label="new.day"><input name="day" type="date" required value={form.day} onInput={text((v) => change({ day: v }))} /></Field>
          <Field label="new.start"><input name="start" type="time" required value={form.start} onInput={text((v) => change({ start: v }))} /></Field>
          <Field label="new.end"><input name="end" type="time" required value={form.end} onInput={text((v) => change({ end: v }))} /></Field>
        </div>
        <p class="soft">{t('new.zone', { zone: program.timeZone, utc: preview ? `${utc(preview.answer.start)} – ${utc(preview.answer.end)}` : '–' })}</p>
        <div class="form">
          <Field label="new.mode"><select name="mode" value={form.mode} onChange={text((v) => change({ mode: v }))}>{modes.map((m) => <option key={m} value={m}>{t(`new.mode.${m}`)}</option>)}</select></Field>
          <Field label="new.scope"><input name="scope" value={form.aggregation} onInput={text((v) => change({ aggregation: v }))} /></Field>
          <Field label="new.reason"><input name="reason" value={form.reason} maxLength={2000} onInput={text((v) => change({ reason: v }))} /></Field>
        </div>
        <label class="check"><input type="checkbox" checked={form.test} onChange={(e) => change({ test: e.currentTarget.checked })} /> {t('new.test')}</label>
        <div class="row"><Act label="new.preview" kind={preview?.of === now ? undefined as never : 'primary'} do={look} disabled={!complete} />
          {preview && <Act label="new.order" values={{ power: power(Number(form.power_kW)) }} kind="primary" do={order} disabled={preview.of !== now} />}{preview && preview.of !== now && <span class="soft" role="status">{t('new.changed')}</span>}</div>
      </form>
      {refused && (
        <section class="problem" role="alert"><h2>{t('new.checks')}</h2><ul class="trouble">{refused.problem.checks!.map((c) => <li key={c.check + c.detail}><D><b>{c.check}</b> {c.detail}</D> {refused.problem.status === 422 && <label class="check"><input type="checkbox" checked={emergency.includes(c.check)} onChange={(e) => setEmergency(e.currentTarget.checked ? [...new Set([...emergency, c.check])] : emergency.filter((x) => x !== c.check))} /> {t('new.override')}</label>}</li>)}</ul></section>)}
      {preview && <Preview d={preview.answer} program={program} />}
    </>
  )
}

function Preview({ d, program }: { d: Dispatch; program: Program }) {
  const devices = useLoad(() => get<List<Device>>('/devices?limit=1000'), []), byId = new Map(devices.data?.items.map((x) => [x.id, x])), two = program.limits.twoPersonAbove_kW as number | undefined
  const excluded = new Map<string, number>()
  for (const x of d.excluded ?? []) excluded.set(x.reason, (excluded.get(x.reason) ?? 0) + 1)
  const n = (protocol: string): number => d.allocation.byResource.filter((x) => x.protocol === protocol).length
  return (
    <section class="card" aria-live="polite" data-preview={d.allocated_kW}>
      <h2>{t('new.preview')}: {orderWords(d.power_kW, directionOf(d, program.direction))}, <D>{window(d.start, d.end, d.timeZone)} {d.timeZone}</D></h2>
      <p class="soft">{t('new.nothingSent')}</p>
      <div class="columns"><div>
        <p><strong>{t('new.devices', { n: count(d.allocation.byResource.length) })}</strong> {t('dispatch.placed')}: <D>{power(d.allocated_kW)}</D>{d.shortfall_kW > 0 && <> · <strong>{t('dispatch.notPlaced', { power: power(d.shortfall_kW) })}</strong></>}</p>
        {protocols.map((p) => <div key={p} class="bar"><span>{word('protocol', p)}</span><meter min={0} max={1} value={d.allocated_kW > 0 ? d.allocation.byProtocol[p] / d.allocated_kW : 0} aria-label={word('protocol', p)} /><span>{t('protocols.part', { power: power(d.allocation.byProtocol[p]), n: count(n(p)) })}</span></div>)}
        <p>{t('new.noticeIn', { span: span(Date.parse(d.start) - serverNow()) })}</p>
        {two !== undefined && <p class={d.power_kW > two ? 'problem' : 'soft'}>{t('new.twoPerson', { power: power(two) })}</p>}
      </div><div>
        <h3>{t('new.warnings')}</h3>{d.warnings.length === 0 ? <p>{t('new.noWarnings')}</p> : <ul translate={false}>{d.warnings.map((w) => <li key={w}>{w}</li>)}</ul>}
        {d.bindingConstraints.length > 0 && <><h3>{t('new.constraints')}</h3><ul translate={false}>{d.bindingConstraints.map((w) => <li key={w}>{w}</li>)}</ul></>}
        {excluded.size > 0 && <><h3>{t('new.excluded', { n: count(d.excluded!.length) })}</h3><ul>{[...excluded].map(([r, k]) => <li key={r}><D>{count(k)}</D> × {knows('excluded', r) ? t(`excluded.${r}` as Key) : <D>{r}</D>}</li>)}</ul></>}
      </div></div>
      <details><summary>{t('new.byDevice')}</summary><Table name="pv" caption="new.byDevice" rows={d.allocation.byResource} rowKey={(x) => x.resource} empty="device.none" sort="-kW" columns={[
        { id: 'name', title: 'common.name', value: (x) => byId.get(x.resource)?.name ?? x.resource, cell: (x) => <a href={`#/devices/${x.resource}`} translate={false}>{byId.get(x.resource)?.name ?? x.resource}</a> }, { id: 'protocol', title: 'device.protocol', value: (x) => x.protocol, cell: (x) => word('protocol', x.protocol) },
        { id: 'rated', title: 'device.rated', num: true, value: (x) => byId.get(x.resource)?.rated_kW, cell: (x) => power(byId.get(x.resource)?.rated_kW) }, { id: 'kW', title: 'device.part', num: true, value: (x) => x.power_kW, cell: (x) => power(x.power_kW) },
      ]} /></details>
      {devices.error && <Failure error={devices.error} />}
    </section>
  )
}
