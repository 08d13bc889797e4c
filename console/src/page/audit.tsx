import { useEffect, useState } from 'preact/hooks'
import { get, type List } from '../api.ts'
import { count, instantIn } from '../format.ts'
import { useLoad, type Loaded } from '../live.ts'
import { setSearch, usePlace } from '../route.ts'
import { zone } from '../session.ts'
import { t, word } from '../text/index.ts'
import type { AuditRecord } from '../types.ts'
import { Act, Await, D, Field, Time, text } from '../part/basics.tsx'
import { Table } from '../part/table.tsx'
import { ChangeOf, changeText } from './audit/change.tsx'

interface Chain {
  verified: boolean
  records: number
  firstBroken?: AuditRecord
}

const pageOf = (where: string, cursor: string | null): Promise<List<AuditRecord>> =>
  get(`/audit?order=newest&changes=true&limit=1000${where}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`)

/** What the server is asked for: a trail has more records than a page has. Days are those of the page's zone, the last one included. */
function whereOf(search: URLSearchParams): string {
  const day = (name: string, more: number): string | undefined => {
    const given = Date.parse(search.get(name) ?? '')
    return Number.isNaN(given) ? undefined : instantIn(`${new Date(given + more * 86_400_000).toISOString().slice(0, 10)}T00:00`, zone())
  }
  const wish = { entity: search.get('entity'), actor: search.get('actor'), from: day('from', 0), to: day('to', 1) }
  return Object.entries(wish).map(([name, value]) => (value ? `&${name}=${encodeURIComponent(value)}` : '')).join('')
}

/** Who did what, before and after, and whether the chain still holds (UX-051). */
export function Audit() {
  const { search } = usePlace(),
    where = whereOf(search)
  const chain = useLoad(() => get<Chain>('/audit/verify'), []),
    list = useLoad(() => pageOf(where, null), [where])
  const older = async (): Promise<void> => {
    const { items, next } = await pageOf(where, list.data!.next)
    list.set({ items: [...list.data!.items, ...items], next })
  }
  return (
    <>
      <div class="row">
        <h1 class="grow">{t('audit.list')}</h1>
        <Badge of={chain} />
      </div>
      <div class="form">
        {(['entity', 'actor'] as const).map((name) => (
          <Field key={name} label={`audit.${name}`}>
            <Asked name={name} />
          </Field>
        ))}
        <datalist id="actors">
          {[...new Set(list.data?.items.map((r) => r.actor))].sort().map((a) => (
            <option key={a} value={a} />
          ))}
        </datalist>
        {(['from', 'to'] as const).map((name) => (
          <Field key={name} label={`audit.${name}`} help={<D>{zone()}</D>}>
            <input type="date" name={name} value={search.get(name) ?? ''} onChange={text((v) => setSearch({ [name]: v }))} />
          </Field>
        ))}
      </div>
      <p class="soft">{t('audit.help')}</p>
      <Await of={list}>
        {({ items: rows, next }) => (
          <>
          <Table<AuditRecord>
            name="au"
            caption="audit.list"
            rows={rows}
            rowKey={(r) => String(r.seq)}
            empty="audit.none"
            sort="-seq"
            search={(r) => `${r.actor} ${r.action} ${word('action', r.action)} ${r.entity} ${r.reason} ${changeText(r)}`}
            filters={[{ id: 'action', title: 'audit.action', group: 'action', value: (r) => r.action }]}
            columns={[
              { id: 'seq', wide: true, title: 'audit.seq', num: true, value: (r) => r.seq, cell: (r) => r.seq },
              { id: 'at', title: 'common.at', value: (r) => r.at, cell: (r) => <Time at={r.at} /> },
              { id: 'actor', title: 'audit.actor', value: (r) => r.actor, cell: (r) => r.actor },
              {
                id: 'action',
                title: 'audit.action',
                value: (r) => r.action,
                cell: (r) => (
                  <span data-action={r.action} title={r.action} translate={false}>
                    {word('action', r.action)}
                  </span>
                ),
              },
              {
                id: 'entity',
                wide: true,
                title: 'audit.entity',
                value: (r) => r.entity,
                cell: (r) => (
                  <a href={r.action.startsWith('dispatch') ? `#/dispatches/${r.entity}` : `#/audit?entity=${r.entity}`} translate={false}>
                    {r.entity.slice(-12)}
                  </a>
                ),
              },
              { id: 'reason', wide: true, title: 'common.reason', value: (r) => r.reason, cell: (r) => r.reason },
              { id: 'change', title: 'audit.change', value: changeText, cell: (r) => <ChangeOf of={r} /> },
              { id: 'hash', title: 'audit.hash', hidden: true, value: (r) => r.hash, cell: (r) => r.hash },
            ]}
          />
          {next !== null && (
            <p class="row">
              <Act label="audit.older" do={older} />
              <span class="soft">{t('audit.loaded', { n: count(rows.length) })}</span>
            </p>
          )}
          </>
        )}
      </Await>
    </>
  )
}

/** Recomputed by the server from the first record to the last each time that the page is opened. */
function Badge({ of: chain }: { of: Loaded<Chain> }) {
  const { data } = chain
  if (!data) return <span class={`state ${chain.error ? 'warn' : 'idle'}`}>{t(chain.error ? 'audit.unchecked' : 'audit.checking')}</span>
  return (
    <span class={`state ${data.verified ? 'good' : 'bad'}`} data-chain={data.verified} role="status">
      <span aria-hidden="true">{data.verified ? '✓' : '✗'}</span>
      {data.verified ? t('audit.verified', { n: count(data.records) }) : t('audit.broken', { n: data.firstBroken?.seq ?? '' })}
    </span>
  )
}

/** What is half typed stays, whatever else comes in; the server is asked when it is done. */
function Asked({ name }: { name: 'entity' | 'actor' }) {
  const asked = usePlace().search.get(name) ?? '',
    [typed, set] = useState(asked)
  useEffect(() => set(asked), [asked])
  return <input type="search" name={name} list={name === 'actor' ? 'actors' : undefined} value={typed} onInput={text(set)} onChange={text((v) => setSearch({ [name]: v.trim() }))} />
}
