import { useState } from 'preact/hooks'
import { get } from '../api.ts'
import { power } from '../format.ts'
import { useLoad } from '../live.ts'
import { setSearch, usePlace } from '../route.ts'
import { t, word } from '../text/index.ts'
import type { Delivery, Protocol } from '../types.ts'
import { Await, D, Field, State, text, Time } from '../part/basics.tsx'
import { Table } from '../part/table.tsx'
import type { Frame } from './device/everything.ts'
import { Frames } from './device/frames.tsx'

interface Found {
  q: string
  devices: { id: string; name: string; kind: string; servicePoint: string; protocol: Protocol | null; remoteId: string | null }[]
  orders: (Delivery & { dispatch: string })[]
  frames: Frame[]
  records: { seq: number; at: string; actor: string; action: string; entity: string; reason: string }[] | null
  logs: { at: string; level: string; message: string; fields: Record<string, unknown> }[] | null
}

/** Everything about one device or order in one search, whatever protocol it speaks (UX-077). */
export function Find() {
  const { search } = usePlace(), q = search.get('q') ?? '', [typed, set] = useState(q)
  return (
    <>
      <h1>{t('find.title')}</h1>
      <form
        class="card row"
        onSubmit={(e) => {
          e.preventDefault()
          setSearch({ q: typed.trim() })
        }}
      >
        <div class="grow">
          <Field label="find.what">
            <input type="search" name="find" minLength={2} autofocus value={typed} onInput={text(set)} />
          </Field>
        </div>
        <button type="submit" class="primary" disabled={typed.trim().length < 2}>
          {t('find.do')}
        </button>
      </form>
      {q.length >= 2 ? <Results q={q} /> : <p class="card empty">{t('find.help')}</p>}
    </>
  )
}

function Results({ q }: { q: string }) {
  const found = useLoad(() => get<Found>(`/find?q=${encodeURIComponent(q)}`), [q])
  return (
    <Await of={found}>
      {(f) => (
        <>
          <h2>{t('find.devices')}</h2>
          <Table<Found['devices'][number]>
            name="fd"
            caption="find.devices"
            rows={f.devices}
            rowKey={(d) => d.id}
            empty="find.noDevices"
            columns={[
              { id: 'name', title: 'common.name', value: (d) => d.name, cell: (d) => <a href={`#/devices/${d.id}`} translate={false}>{d.name}</a> },
              { id: 'kind', title: 'device.kind', value: (d) => d.kind, cell: (d) => word('kind', d.kind) },
              { id: 'protocol', title: 'device.protocol', value: (d) => d.protocol, cell: (d) => word('protocol', d.protocol) },
              { id: 'remoteId', title: 'device.remoteId', value: (d) => d.remoteId, cell: (d) => d.remoteId ?? '–' },
            ]}
          />
          <h2>{t('device.orders')}</h2>
          <Table<Found['orders'][number]>
            name="fo"
            caption="device.orders"
            rows={f.orders}
            rowKey={(o) => o.id}
            empty="find.noOrders"
            columns={[
              { id: 'at', title: 'common.at', value: (o) => o.at, cell: (o) => <a href={`#/dispatches/${o.dispatch}`}><Time at={o.at} /></a> },
              { id: 'device', title: 'cert.device', value: (o) => o.resourceName, cell: (o) => o.resourceName },
              { id: 'state', title: 'common.state', value: (o) => o.state, cell: (o) => <State of={o.state} /> },
              { id: 'asked', title: 'dispatch.asked', num: true, value: (o) => o.allocated_W, cell: (o) => power(o.allocated_W / 1000) },
              { id: 'reason', title: 'common.reason', value: (o) => o.reason, cell: (o) => (o.reason ? word('reason', o.reason) : '') },
            ]}
          />
          <Frames of={f.frames} name={`frames-${f.q}`} />
          {f.records && (
            <>
              <h2>{t('audit.list')}</h2>
              <Table<NonNullable<Found['records']>[number]>
                name="fr"
                caption="audit.list"
                rows={f.records}
                rowKey={(r) => String(r.seq)}
                empty="audit.none"
                columns={[
                  { id: 'at', title: 'common.at', value: (r) => r.at, cell: (r) => <Time at={r.at} /> },
                  { id: 'actor', title: 'audit.actor', value: (r) => r.actor, cell: (r) => r.actor },
                  { id: 'action', title: 'audit.action', value: (r) => r.action, cell: (r) => <a href={`#/audit?entity=${r.entity}`} title={r.action} translate={false}>{word('action', r.action)}</a> },
                  { id: 'reason', title: 'common.reason', value: (r) => r.reason, cell: (r) => r.reason },
                ]}
              />
            </>
          )}
          {f.logs && (
            <>
              <h2>{t('find.logs')}</h2>
              <Table<NonNullable<Found['logs']>[number]>
                name="fl"
                caption="find.logs"
                rows={f.logs}
                rowKey={(l) => l.at + l.message + JSON.stringify(l.fields)}
                empty="find.noLogs"
                columns={[
                  { id: 'at', title: 'common.at', value: (l) => l.at, cell: (l) => <Time at={l.at} style="second" /> },
                  { id: 'level', title: 'find.level', value: (l) => l.level, cell: (l) => l.level },
                  { id: 'message', title: 'find.message', value: (l) => l.message, cell: (l) => l.message },
                  { id: 'fields', title: 'common.details', value: (l) => JSON.stringify(l.fields), cell: (l) => <D class="soft">{JSON.stringify(l.fields)}</D> },
                ]}
              />
            </>
          )}
        </>
      )}
    </Await>
  )
}
