import { get, type List } from '../api.ts'
import { count } from '../format.ts'
import { useLoad } from '../live.ts'
import { setSearch, usePlace } from '../route.ts'
import { t } from '../text/index.ts'
import type { AuditRecord } from '../types.ts'
import { Await, Field, Time, text } from '../part/basics.tsx'
import { Table } from '../part/table.tsx'

interface Chain {
  verified: boolean
  records: number
  firstBroken?: AuditRecord
}

/** The newest records of a trail that is read oldest first: pages are followed to its end, the last 5,000 are kept. */
async function newest(where: string): Promise<AuditRecord[]> {
  let kept: AuditRecord[] = [],
    cursor: string | null = null
  do {
    const page: List<AuditRecord> = await get(`/audit?limit=1000${where}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`)
    kept = [...kept, ...page.items].slice(-5000)
    cursor = page.next
  } while (cursor)
  return kept
}

/** Who did what, before and after, and whether the chain still holds (UX-051). */
export function Audit() {
  const { search } = usePlace(),
    entity = search.get('entity') ?? '',
    from = search.get('from') ?? ''
  const chain = useLoad(() => get<Chain>('/audit/verify'), []),
    list = useLoad(
      () => newest(`${entity ? `&entity=${encodeURIComponent(entity)}` : ''}${from ? `&from=${encodeURIComponent(`${from}T00:00:00Z`)}` : ''}`),
      [entity, from],
    )
  return (
    <>
      <div class="row">
        <h1 class="grow">{t('audit.list')}</h1>
        {chain.data ? (
          <span class={`state ${chain.data.verified ? 'good' : 'bad'}`} data-chain={chain.data.verified}>
            {chain.data.verified
              ? t('audit.verified', { n: count(chain.data.records) })
              : t('audit.broken', { n: chain.data.firstBroken?.seq ?? '' })}
          </span>
        ) : (
          <span class="state idle">{t('audit.checking')}</span>
        )}
      </div>
      <div class="form">
        <Field label="audit.entity">
          <input type="search" value={entity} onChange={text((v) => setSearch({ entity: v }))} />
        </Field>
        <Field label="audit.from">
          <input type="date" value={from} onChange={text((v) => setSearch({ from: v }))} />
        </Field>
      </div>
      <p class="soft">{t('audit.help')}</p>
      <Await of={list}>
        {(rows) => (
          <Table<AuditRecord>
            name="au"
            caption="audit.list"
            rows={rows}
            rowKey={(r) => String(r.seq)}
            empty="audit.none"
            sort="-seq"
            search={(r) => `${r.actor} ${r.action} ${r.entity} ${r.reason}`}
            filters={[
              { id: 'action', title: 'audit.action', value: (r) => r.action },
              { id: 'actor', title: 'audit.actor', value: (r) => r.actor },
            ]}
            columns={[
              { id: 'seq', title: 'audit.seq', num: true, value: (r) => r.seq, cell: (r) => r.seq },
              { id: 'at', title: 'common.at', value: (r) => r.at, cell: (r) => <Time at={r.at} /> },
              { id: 'actor', title: 'audit.actor', value: (r) => r.actor, cell: (r) => r.actor },
              { id: 'action', title: 'audit.action', value: (r) => r.action, cell: (r) => r.action },
              {
                id: 'entity',
                title: 'audit.entity',
                value: (r) => r.entity,
                cell: (r) => (
                  <a href={r.action.startsWith('dispatch') ? `#/dispatches/${r.entity}` : `#/audit?entity=${r.entity}`} translate={false}>
                    {r.entity.slice(-12)}
                  </a>
                ),
              },
              { id: 'reason', title: 'common.reason', value: (r) => r.reason, cell: (r) => r.reason },
              {
                id: 'before',
                title: 'audit.before',
                value: (r) => r.before,
                cell: (r) => (
                  <abbr title={r.before} translate={false}>
                    {short(r.before)}
                  </abbr>
                ),
              },
              {
                id: 'after',
                title: 'audit.after',
                value: (r) => r.after,
                cell: (r) => (
                  <abbr title={r.after} translate={false}>
                    {short(r.after)}
                  </abbr>
                ),
              },
              { id: 'hash', title: 'audit.hash', hidden: true, value: (r) => r.hash, cell: (r) => r.hash },
            ]}
          />
        )}
      </Await>
    </>
  )
}
const short = (s: string): string => (s.length > 14 ? `${s.slice(0, 10)}…` : s)
