import { get, type List } from '../api.ts'
import { count } from '../format.ts'
import { useLoad } from '../live.ts'
import { setSearch, usePlace } from '../route.ts'
import { t, word } from '../text/index.ts'
import type { AuditRecord } from '../types.ts'
import { Act, Await, Field, Time, text } from '../part/basics.tsx'
import { Table } from '../part/table.tsx'
import { ChangeOf, changeText } from './audit/change.tsx'

interface Chain {
  verified: boolean
  records: number
  firstBroken?: AuditRecord
}

const pageOf = (where: string, cursor: string | null): Promise<List<AuditRecord>> =>
  get(`/audit?order=newest&changes=true&limit=1000${where}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`)

/** Who did what, before and after, and whether the chain still holds (UX-051). */
export function Audit() {
  const { search } = usePlace(),
    entity = search.get('entity') ?? '',
    from = search.get('from') ?? ''
  const chain = useLoad(() => get<Chain>('/audit/verify'), []),
    where = `${entity ? `&entity=${encodeURIComponent(entity)}` : ''}${from ? `&from=${encodeURIComponent(`${from}T00:00:00Z`)}` : ''}`,
    list = useLoad(() => pageOf(where, null), [where])
  const older = async (): Promise<void> => {
    const { items, next } = await pageOf(where, list.data!.next)
    list.set({ items: [...list.data!.items, ...items], next })
  }
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
            filters={[
              { id: 'action', title: 'audit.action', group: 'action', value: (r) => r.action },
              { id: 'actor', title: 'audit.actor', value: (r) => r.actor },
            ]}
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
          {next !== null && <Act label="audit.older" do={older} />}
          </>
        )}
      </Await>
    </>
  )
}
