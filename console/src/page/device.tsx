import { useState } from 'preact/hooks'
import { all, get, orNone, post, token, type List } from '../api.ts'
import { ageOf, count, energy, power, when } from '../format.ts'
import { useLoad } from '../live.ts'
import { setSearch, usePlace } from '../route.ts'
import { may, serverNow, zone } from '../session.ts'
import { t, word } from '../text/index.ts'
import type { Delivery, Device, Enrolment, Progress, Reading, ServicePoint } from '../types.ts'
import { Act, Age, Await, D, Facts, State, Time, download, text } from '../part/basics.tsx'
import { Chart } from '../part/chart.tsx'
import { Dialog } from '../part/dialog.tsx'

interface Resource { id: string; name: string; kind: string; rated_kW: number; servicePoint: string; cost: string; minBlock_kW: number; bindings: { protocol: string; remoteId: string; evseId?: number; control: boolean }[]; constraints: Record<string, unknown>; state: string; version: number }
interface Station { id: string; online: boolean; version: string; registration: string; approved: boolean; lastSeen: string | null; onlineSince: string | null; securityProfiles: number[]; profileInUse: number | null; boot: Record<string, unknown> | null; connectors: Record<string, { status: string }>; profiles?: unknown[]; frames?: Frame[] }
interface Frame { at: string; direction: 'in' | 'out'; text: string }
interface Certificate { id: string; serial: string; lfdi: string | null; sfdi: string | null; state: string; vendor: string; notBefore: string; notAfter: string; revokedAt: string | null; reason: string | null }
interface OptOut { id: string; resource: string; from: string; to: string | null; reason: string; source: string }

interface Everything { resource: Resource; point: ServicePoint; enrolments: Enrolment[]; deliveries: (Delivery & { dispatch: string })[]; station: Station | undefined; certificate: Certificate | undefined; record: string | undefined; optOuts: OptOut[]; progress: Progress | undefined; last: Device['delivery'] }

/** A door's own record of a 2030.5 device, as that door would show it. */
async function recordOf(lfdi: string): Promise<string | undefined> {
  const answer = await fetch(`/api/v1/csip/edev/${encodeURIComponent(lfdi)}`, { headers: { authorization: `Bearer ${token() ?? ''}` } }).catch(() => undefined)
  return answer?.ok ? answer.text() : undefined
}

async function everything(id: string): Promise<Everything> {
  const resource = await get<Resource>(`/resources/${encodeURIComponent(id)}`), binding = resource.bindings.find((b) => b.control) ?? resource.bindings[0]
  const [point, enrolments, dispatches, station, certificate, record, optOuts] = await Promise.all([
    get<ServicePoint>(`/service-points/${resource.servicePoint}`), all<Enrolment>(`/enrolments?servicePoint=${resource.servicePoint}`), get<List<{ id: string; start: string; allocation: { byResource: { resource: string }[] } }>>('/dispatches?limit=1000'),
    binding?.protocol === 'ocpp' ? orNone(get<Station>(`/stations/${encodeURIComponent(binding.remoteId)}`)) : undefined,
    binding?.protocol === 'ieee2030_5' ? orNone(get<Certificate>(`/certificates/${binding.remoteId}`)) : undefined, binding?.protocol === 'ieee2030_5' ? recordOf(binding.remoteId) : undefined,
    orNone(get<List<OptOut>>(`/opt-outs?resource=${resource.id}`)),
  ])
  const newest = dispatches.items.sort((a, b) => b.start.localeCompare(a.start)).slice(0, 20)
  const deliveries = (await Promise.all(newest.map(async (d) => (await all<Delivery>(`/dispatches/${d.id}/deliveries`)).filter((x) => x.resource === resource.id).map((x) => ({ ...x, dispatch: d.id }))))).flat()
  const progress = deliveries[0] ? await orNone(get<Progress>(`/dispatches/${deliveries[0].dispatch}/progress`)) : undefined
  return { resource, point, enrolments, deliveries, station, certificate, record, optOuts: optOuts?.items ?? [], progress, last: null }
}

/** One device: who it is, what it was told, what it answered, what it measured, and in one sentence why it did not respond (UX-049). */
export function DevicePage({ id }: { id: string }) {
  const found = useLoad(() => everything(id), [id], { every: 10_000, when: (m) => m.action.startsWith('delivery') || m.action.startsWith('dispatch'), pause: 2000 })
  return <Await of={found}>{(e) => <Found e={e} reload={found.reload} />}</Await>
}

/** The cause, most certain first. Each is a fact that the server holds, none is guessed. */
export function why(e: Everything): string {
  const z = zone(), { resource: r, point, station, certificate } = e, last = e.deliveries[0], at = (iso: string | null | undefined): string => when(iso, z), reason = last?.reason ?? '–'
  const active = e.enrolments.find((x) => x.state === 'active')
  if (certificate?.state === 'revoked') return t('why.revoked', { at: at(certificate.revokedAt), reason: certificate.reason ?? '–' })
  if (certificate && Date.parse(certificate.notAfter) < serverNow()) return t('why.expired', { at: at(certificate.notAfter) })
  if (r.bindings.length === 0) return t('why.noBinding')
  if (station && station.registration !== 'accepted') return t('why.notAccepted', { state: station.registration })
  if (!last) {
    if (!active) return t('why.notEnrolled', { point: point.name, state: word('state', e.enrolments.at(-1)?.state ?? 'notEnrolled') })
    const out = e.optOuts.find((o) => o.to === null || Date.parse(o.to) > serverNow())
    return out ? t('why.optOut', { until: out.to ? at(out.to) : '–', reason: out.reason }) : t('why.neverAsked')
  }
  switch (last.state) {
    case 'optedOut': return t('why.optedOut', { at: at(last.at), reason })
    case 'rejected': return t('why.rejected', { at: at(last.at), reason })
    case 'noComms': return station ? station.online ? t('why.noComms.online', { sent: at(last.sentAt), reason }) : t('why.noComms.offline', { seen: at(station.lastSeen), sent: at(last.sentAt) }) : t('why.noComms', { sent: at(last.sentAt), reason })
    case 'cancelled': return t('why.cancelled', { at: at(last.at), reason })
    case 'superseded': return t('why.superseded', { at: at(last.at), reason })
    case 'partial': return t('why.partial', { at: at(last.at), reason })
    case 'queued': return t('why.queued', { attempts: last.attempts })
    case 'sent': return t('why.sent', { sent: at(last.sentAt) })
  }
  const own = e.progress?.points.find((p) => p.servicePoint === r.servicePoint)
  if (own && own.asked_kWh > 0 && own.delivered_kWh !== null && own.delivered_kWh < own.asked_kWh * 0.1) return t('why.zero', { delivered: energy(own.delivered_kWh), asked: energy(own.asked_kWh) })
  return t('why.fine', { state: word('state', last.state), at: at(last.at), power: power(last.allocated_W / 1000) })
}

function Found({ e, reload }: { e: Everything; reload: () => void }) {
  const { resource: r, point, station: s, certificate: c } = e, binding = r.bindings.find((b) => b.control) ?? r.bindings[0]
  return (
    <>
      <div class="row titlebar"><div class="grow"><h1 translate={false}>{r.name}</h1><p class="row"><span>{word('kind', r.kind)}</span><span>{word('protocol', binding?.protocol)}</span>{s && <State of={s.online ? 'online' : 'offline'} />}<State of={e.enrolments.find((x) => x.state === 'active')?.state ?? e.enrolments.at(-1)?.state ?? 'notEnrolled'} />{e.deliveries[0] && <State of={e.deliveries[0].state} />}</p></div><StopDevice id={r.id} reload={reload} /></div>
      <section class="card why"><h2>{t('why.title')}</h2><p data-why={e.deliveries[0]?.state ?? 'none'}>{why(e)}</p><p class="soft">{t('why.shown')}</p></section>
      <div class="columns">
        <section class="card"><h2>{t('device.identity')}</h2><Facts of={[
          ['device.remoteId', binding ? `${binding.remoteId}${binding.evseId ? ` / ${binding.evseId}` : ''}` : '–'], ['device.rated', power(r.rated_kW)], ['device.point', <a href={`#/readings/${point.id}`} translate={false}>{point.name}</a>],
          ['device.feeder', point.gridPath.join(' › ') || '–'], point.importLimit_kW !== null && ['device.limit', power(point.importLimit_kW)], Object.keys(r.constraints).length > 0 && ['device.constraints', JSON.stringify(r.constraints)], ['common.raw', r.id],
        ]} />
          <h3>{t('device.enrolments')}</h3>{e.enrolments.length === 0 ? <State of="notEnrolled" /> : <ul class="trouble">{e.enrolments.map((x) => <li key={x.id} class="row"><State of={x.state} /><a href={`#/programs/${x.program}`}>{t('new.program')}</a><Time at={x.modifiedAt} /></li>)}</ul>}
          {e.optOuts.length > 0 && <><h3>{t('device.optOuts')}</h3><ul>{e.optOuts.map((o) => <li key={o.id}><Time at={o.from} /> – <Time at={o.to} /> <D>{o.reason}</D></li>)}</ul></>}
        </section>
        <section class="card"><h2>{t('device.connection')}</h2>
          {s ? <Facts of={[['common.state', <State of={s.online ? 'online' : 'offline'} />], ['device.version', `OCPP ${s.version}`], ['device.lastSeen', <><Time at={s.lastSeen} /> <Age at={s.lastSeen} /></>], ['common.details', s.boot ? Object.entries(s.boot).filter(([k]) => k !== 'at').map(([k, v]) => `${k} ${String(v)}`).join(', ') : '–']]} />
            : <p class="soft">{t('device.framesOnly')}</p>}
          {c && <><h3>{t('device.certificate')}</h3><Facts of={[['common.state', <State of={c.state} />], ['common.from', <Time at={c.notBefore} style="day" />], ['common.to', <Time at={c.notAfter} style="day" />], ['nav.vendors', c.vendor]]} /></>}
          {e.record && <pre tabIndex={0} translate={false}>{e.record.replaceAll('><', '>\n<')}</pre>}
        </section>
      </div>
      {s && <Frames of={s.frames ?? []} name={r.name} />}
      <Orders e={e} />
      <Readings point={point.id} />
    </>
  )
}

function StopDevice({ id, reload }: { id: string; reload: () => void }) {
  const [open, set] = useState(false)
  if (!may('admin', 'operator', 'dispatcher', 'dso')) return null
  return <><button type="button" onClick={() => set(true)}>{t('device.stop')}</button>{open && <Dialog title={t('device.stop')} onClose={() => set(false)}><p>{t('device.stopSure')}</p><div class="row end"><button type="button" autofocus onClick={() => set(false)}>{t('common.close')}</button><Act kind="danger" label="device.stop" do={async () => { await post('/stop', { resource: id }); set(false); reload() }} /></div></Dialog>}</>
}

function Frames({ of, name }: { of: Frame[]; name: string }) {
  const [filter, set] = useState(''), shown = of.filter((f) => f.text.toLowerCase().includes(filter.toLowerCase()))
  return (
    <section class="card"><h2>{t('device.frames')}</h2>
      {of.length === 0 ? <p>{t('device.noFrames')}</p> : <>
        <div class="row tools"><label class="inline">{t('device.filterFrames')} <input type="search" value={filter} onInput={text(set)} /></label><span class="grow" /><button type="button" onClick={() => download(`${name}.jsonl`, 'application/x-ndjson', shown.map((f) => JSON.stringify(f)).join('\n'))}>{t('common.download')}</button></div>
        <div class="frames" tabIndex={0} role="region" aria-label={t('device.frames')}>{shown.map((f, i) => <details key={i} open={i < 2}><summary><Time at={f.at} /> {t(f.direction === 'in' ? 'device.in' : 'device.out')} <D>{/"([A-Z]\w+)"/.exec(f.text)?.[1] ?? ''}</D></summary><pre translate={false}>{f.text}</pre></details>)}</div></>}
    </section>
  )
}

function Orders({ e }: { e: Everything }) {
  return (
    <section class="card"><h2>{t('device.orders')}</h2>
      {e.deliveries.length === 0 ? <p>{t('device.noOrders')}</p> : <div class="scroll" tabIndex={0} role="region" aria-label={t('device.orders')}><table><thead><tr><th scope="col">{t('nav.dispatches')}</th><th scope="col">{t('common.state')}</th><th scope="col" class="num">{t('dispatch.asked')}</th><th scope="col">{t('step.sent')}</th><th scope="col">{t('step.acknowledged')}</th><th scope="col">{t('common.at')}</th><th scope="col">{t('common.reason')}</th></tr></thead>
        <tbody>{e.deliveries.map((x) => <tr key={x.id}><td><a href={`#/dispatches/${x.dispatch}`}><Time at={(x.intervals[0] as { start: string } | undefined)?.start ?? x.at} /></a></td><td><State of={x.state} /></td><td class="num" translate={false}>{power(x.allocated_W / 1000)}</td><td><Time at={x.sentAt} style="time" /></td><td><Time at={x.acknowledgedAt} style="time" /></td><td><Time at={x.at} style="time" /></td><td translate={false}>{x.reason ?? ''}</td></tr>)}</tbody></table></div>}
    </section>
  )
}

const spans = { hours6: 6, hours24: 24, days7: 168, days30: 720 } as const

/** Import minus export as power, reading by reading. */
export function netPower(readings: readonly Reading[]): { times: number[]; kW: (number | null)[]; end: number } {
  const by = new Map<number, { Wh: number; minutes: number }>()
  for (const r of readings) {
    const s = Date.parse(r.start) / 1000, x = by.get(s) ?? { Wh: 0, minutes: r.minutes }
    by.set(s, { Wh: x.Wh + (r.channel === 'import' ? r.Wh : -r.Wh), minutes: r.minutes })
  }
  const times = [...by.keys()].sort((a, b) => a - b), kW: (number | null)[] = [], out: number[] = []
  for (const [i, s] of times.entries()) {
    const { Wh, minutes } = by.get(s)!
    out.push(s)
    kW.push((Wh / minutes) * 0.06)
    // a gap is shown as a gap
    if (times[i + 1] !== undefined && times[i + 1]! > s + minutes * 60) { out.push(s + minutes * 60); kW.push(null) }
  }
  return { times: out, kW, end: (times.at(-1) ?? 0) + (by.get(times.at(-1) ?? 0)?.minutes ?? 0) * 60 }
}

function Readings({ point }: { point: string }) {
  const { search } = usePlace(), chosen = (Object.keys(spans) as (keyof typeof spans)[]).find((k) => k === search.get('window')) ?? 'hours24'
  const readings = useLoad(() => all<Reading>(`/readings?servicePoint=${point}&from=${encodeURIComponent(new Date(Math.floor(serverNow() / 60_000) * 60_000 - spans[chosen] * 3_600_000).toISOString())}`), [point, chosen], { every: 15_000 })
  return (
    <section class="card"><h2>{t('device.readings')}</h2>
      <div class="row"><div class="row" role="group" aria-label={t('device.window')}>{(Object.keys(spans) as (keyof typeof spans)[]).map((k) => <button key={k} type="button" aria-pressed={k === chosen} onClick={() => setSearch({ window: k })}>{t(`device.${k}`)}</button>)}</div><a href={`#/readings/${point}`}>{t('point.all')}</a></div>
      <Await of={readings}>{(list) => list.length === 0 ? <p>{t('device.noReadings')}</p> : <Net readings={list} />}</Await>
    </section>
  )
}

export function Net({ readings, band }: { readings: readonly Reading[]; band?: { from: number; to: number } }) {
  const { times, kW, end } = netPower(readings), last = readings.reduce((a, b) => (a > b.receivedAt ? a : b.receivedAt), '')
  return <><Chart label="device.readingsLabel" times={times} end={end} zone={zone()} lines={[{ key: 'device.net', values: kW, colour: '--c-actual', width: 2 }]} {...(band ? { band } : {})} /><p class="soft" translate={false}>{count(readings.length)} · {ageOf(last)}</p></>
}
