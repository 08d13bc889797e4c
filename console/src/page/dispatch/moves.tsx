import { get, type List } from '../../api.ts'
import { count, listed, power } from '../../format.ts'
import { useLoad } from '../../live.ts'
import { t, word } from '../../text/index.ts'
import { type AuditRecord, type Delivery, type Dispatch, protocols } from '../../types.ts'
import { Await, D, Time } from '../../part/basics.tsx'
import { partOfEach, type Everything } from './everything.ts'

export function Split({ d, deliveries }: { d: Dispatch; deliveries: Delivery[] }) {
  const total = Math.max(1, d.allocation.total_kW)
  return (
    <section class="card">
      <h2>{t('dispatch.split')}</h2>
      {protocols.map((x) => (
        <div key={x} class="bar" data-protocol={x}>
          <span>{word('protocol', x)}</span>
          <meter min={0} max={1} value={d.allocation.byProtocol[x] / total} aria-label={word('protocol', x)} />
          <span>
            {t('protocols.part', { power: power(d.allocation.byProtocol[x]), n: count(partOfEach(deliveries).filter((y) => y.protocol === x).length) })}
          </span>
        </div>
      ))}
    </section>
  )
}

/** What one revision took from some devices and gave to others. */
export function Moves({ e }: { e: Everything }) {
  const name = new Map(e.deliveries.map((x) => [x.resource, x.resourceName])),
    all_ = [...e.revisions, e.dispatch]
      .filter((r, i, list) => list.findIndex((x) => x.revision === r.revision) === i)
      .sort((a, b) => a.revision - b.revision)
  const moves = all_.slice(1).map((now, i) => {
    const before = new Map(all_[i]!.allocation.byResource.map((x) => [x.resource, x.power_kW])),
      after = new Map(now.allocation.byResource.map((x) => [x.resource, x.power_kW]))
    const change = [...new Set([...before.keys(), ...after.keys()])]
      .map((r) => ({ name: name.get(r) ?? r, kW: (after.get(r) ?? 0) - (before.get(r) ?? 0) }))
      .filter((x) => Math.abs(x.kW) > 0.0005)
    return { revision: now.revision, at: e.deliveries.filter((x) => x.revision === now.revision && x.sentAt !== null).map((x) => x.sentAt as string).sort()[0] ?? null, gave: change.filter((x) => x.kW < 0), took: change.filter((x) => x.kW > 0) }
  })
  const list = (of: { name: string; kW: number }[]): string =>
    of.length === 0
      ? t('common.none')
      : listed(of.slice(0, 8).map((x) => `${x.name} ${power(Math.abs(x.kW))}`)) + (of.length > 8 ? ` +${of.length - 8}` : '')
  return (
    <section class="card" data-part="moves">
      <h2>{t('dispatch.reallocation')}</h2>
      {moves.length === 0 ? (
        <p>{t('dispatch.noMoves')}</p>
      ) : (
        moves.map((m) => (
          <div key={m.revision} data-revision={m.revision}>
            <p>
              <strong>{t('dispatch.revision', { n: m.revision })}</strong> {m.at && <Time at={m.at} in={e.dispatch.timeZone} style="time" />}
            </p>
            <dl class="facts">
              <dt>{t('dispatch.moved')}</dt>
              <dd translate={false}>{list(m.gave)}</dd>
              <dt>{t('dispatch.took')}</dt>
              <dd translate={false}>{list(m.took)}</dd>
            </dl>
          </div>
        ))
      )}
    </section>
  )
}

/** Everything that was done to this order, from the audit trail. */
export function History({ id, zone, version }: { id: string; zone: string; version: number }) {
  const list = useLoad(() => get<List<AuditRecord>>(`/audit?entity=${id}&limit=1000`), [id, version])
  return (
    <section class="card">
      <h2>{t('dispatch.history')}</h2>
      <Await of={list}>
        {({ items }) => (
          <ol class="trouble">
            {items.map((r) => (
              <li key={r.seq} class="row">
                <Time at={r.at} in={zone} style="time" />
                <D>{r.actor}</D>
                <a href={`#/audit?entity=${r.entity}`} title={r.action} translate={false}>
                  {word('action', r.action)}
                </a>
                <D class="soft">{r.reason}</D>
              </li>
            ))}
          </ol>
        )}
      </Await>
    </section>
  )
}
