import { useState } from 'preact/hooks'
import { get, post, type List } from '../../api.ts'
import { count, instantIn, plain } from '../../format.ts'
import { useLoad } from '../../live.ts'
import { setSearch, usePlace } from '../../route.ts'
import { zone } from '../../session.ts'
import { t, word } from '../../text/index.ts'
import { Act, Await, D, Field, State, Time, text } from '../../part/basics.tsx'
import { Table } from '../../part/table.tsx'
import { Exchanges } from './exchanges.tsx'
import type { Hook, Sent } from './hook.ts'

const step = 200, states = ['pending', 'delivered', 'failed'] as const

interface Range { from?: string; to?: string; state?: string }
const rangeOf = (search: URLSearchParams): Range => {
  const [from, to] = ['from', 'to'].map((k) => instantIn(search.get(k) ?? '', zone())), state = search.get('was')
  return { ...(from ? { from } : {}), ...(to ? { to } : {}), ...(state ? { state } : {}) }
}

/** The newest so many of a range. */
async function newest(id: string, range: Range, most: number): Promise<{ items: Sent[]; more: boolean }> {
  const items: Sent[] = []
  let cursor: string | null = null
  do {
    const query: string = new URLSearchParams({ ...range, order: 'newest', limit: String(Math.min(1000, most - items.length)), ...(cursor ? { cursor } : {}) }).toString()
    const page: List<Sent> = await get<List<Sent>>(`/webhooks/${id}/deliveries?${query}`)
    items.push(...page.items)
    cursor = page.next
  } while (cursor && items.length < most)
  return { items, more: cursor !== null }
}

/** What was sent to one receiver, and again: one, or all of a range, as after its bad hour (UX-030). */
export function Log({ of: h }: { of: Hook }) {
  const { search } = usePlace(),
    range = rangeOf(search),
    [most, setMost] = useState(step),
    list = useLoad(() => newest(h.id, range, most), [h.id, JSON.stringify(range)], { every: 3000 }),
    [resent, setResent] = useState<number>()
  const again = (path: string, body: object = {}) => async (): Promise<void> => {
    const answer = await post<{ resent?: number }>(`/webhooks/${h.id}/${path}`, body)
    setResent(answer.resent)
    list.reload()
  }
  return (
    <section data-log={h.id}>
      <h2>{t('hook.log')}</h2>
      <p class="soft"><D class="long">{h.url}</D></p>
      <div class="form">
        <Field label="hook.from" help={<D>{zone()}</D>}>
          <input type="datetime-local" name="from" step="1" value={search.get('from') ?? ''} onChange={text((v) => setSearch({ from: v }))} />
        </Field>
        <Field label="hook.to" help={<D>{zone()}</D>}>
          <input type="datetime-local" name="to" step="1" value={search.get('to') ?? ''} onChange={text((v) => setSearch({ to: v }))} />
        </Field>
        <Field label="common.state">
          <select name="was" value={search.get('was') ?? ''} onChange={text((v) => setSearch({ was: v }))}>
            <option value="">{t('common.any')}</option>
            {states.map((s) => <option key={s} value={s}>{word('state', s)}</option>)}
          </select>
        </Field>
      </div>
      <Await of={list}>
        {({ items, more }) => (
          <>
            <div class="row">
              <Act label="hook.resendRange" values={{ n: more ? `${count(items.length)}+` : count(items.length) }} disabled={h.state !== 'active' || items.length === 0 || Object.keys(range).length === 0} do={again('resend', range)} />
              <span class="soft" role="status">{h.state !== 'active' ? t('hook.off') : resent === undefined ? t('hook.rangeHelp') : t('hook.resent', { n: count(resent) })}</span>
            </div>
            <Table<Sent>
              name="log"
              caption="hook.log"
              rows={items}
              rowKey={(s) => s.id}
              empty={Object.keys(range).length === 0 ? 'hook.noLog' : 'hook.noneInRange'}
              sort="-at"
              search={(s) => `${s.event.type} ${s.event.entity} ${s.event.reason} ${s.event.actor} ${s.attempts.at(-1)?.answer ?? ''}`}
              filters={[{ id: 'type', title: 'hook.event', value: (s) => s.event.type }]}
              detail={(s) => <Exchanges of={s} />}
              columns={[
                { id: 'at', title: 'common.at', value: (s) => s.createdAt, cell: (s) => <Time at={s.createdAt} style="second" /> },
                { id: 'type', title: 'hook.event', value: (s) => s.event.type, cell: (s) => s.event.type },
                { id: 'state', title: 'common.state', value: (s) => s.state, cell: (s) => <State of={s.state} /> },
                { id: 'attempts', title: 'hook.attempts', num: true, value: (s) => s.attempts.length, cell: (s) => s.attempts.length },
                {
                  id: 'answer',
                  title: 'hook.answer',
                  value: (s) => `${s.attempts.at(-1)?.status ?? ''} ${s.attempts.at(-1)?.answer ?? ''}`.trim(),
                  cell: (s) => `${s.attempts.at(-1)?.status ?? '–'} ${s.attempts.at(-1)?.answer.slice(0, 80) ?? ''}`,
                },
                { id: 'ms', title: 'hook.time', num: true, value: (s) => s.attempts.at(-1)?.ms, cell: (s) => t('hook.ms', { n: plain(s.attempts.at(-1)?.ms, 0) }) },
                { id: 'resend', title: 'hook.resend', cell: (s) => <Act label="hook.resend" disabled={h.state !== 'active'} do={again(`deliveries/${s.id}/resend`)} /> },
              ]}
            />
            {more && <Act label="hook.older" do={async () => { setMost(most + step); list.reload() }} />}
          </>
        )}
      </Await>
    </section>
  )
}
