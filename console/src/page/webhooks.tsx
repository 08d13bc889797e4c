import { useState } from 'preact/hooks'
import { call, get, post, type List } from '../api.ts'
import { plain } from '../format.ts'
import { useLoad } from '../live.ts'
import { setSearch, usePlace } from '../route.ts'
import { t } from '../text/index.ts'
import { Act, Await, Field, Secret, State, Time, text } from '../part/basics.tsx'
import { Table } from '../part/table.tsx'

interface Hook {
  id: string
  url: string
  events: string[]
  state: string
  createdAt: string
  createdBy: string
  secret?: string
}
interface Sent {
  id: string
  createdAt: string
  state: string
  event: { type: string; entity: string; at: string }
  attempts: { at: string; ms: number; status: number | null; answer: string }[]
}

export function Webhooks() {
  const { search } = usePlace(),
    chosen = search.get('hook'),
    list = useLoad(() => get<List<Hook>>('/webhooks?limit=1000'), [], { every: 10_000 }),
    [f, set] = useState({ url: '', events: '*' }),
    [secret, setSecret] = useState<string>()
  const add = async (): Promise<void> => {
    const made = await post<Hook>('/webhooks', { url: f.url, events: f.events.split(/[\s,]+/).filter((x) => x !== '') })
    setSecret(made.secret)
    set({ ...f, url: '' })
    list.reload()
  }
  const change = (id: string, body: object) => async (): Promise<void> => {
    const made = await call<Hook>('PATCH', `/webhooks/${id}`, body)
    if (made.secret) setSecret(made.secret)
    list.reload()
  }
  return (
    <>
      <h1>{t('hook.list')}</h1>
      <form class="card" onSubmit={(e) => e.preventDefault()}>
        <div class="form">
          <Field label="hook.url">
            <input name="url" type="url" value={f.url} onInput={text((v) => set({ ...f, url: v }))} />
          </Field>
          <Field label="hook.events">
            <input name="events" value={f.events} onInput={text((v) => set({ ...f, events: v }))} />
          </Field>
        </div>
        <Act label="hook.new" type="submit" kind="primary" disabled={f.url === ''} do={add} />
        {secret && <Secret of={secret} />}
      </form>
      <Await of={list}>
        {({ items }) => (
          <Table<Hook>
            name="wh"
            caption="hook.list"
            rows={items}
            rowKey={(h) => h.id}
            empty="hook.none"
            columns={[
              { id: 'url', title: 'hook.url', value: (h) => h.url, cell: (h) => h.url },
              { id: 'events', title: 'hook.event', value: (h) => h.events.join(' '), cell: (h) => h.events.join(', ') },
              { id: 'state', title: 'common.state', value: (h) => h.state, cell: (h) => <State of={h.state} /> },
              {
                id: 'log',
                title: 'hook.log',
                cell: (h) => (
                  <div class="row">
                    <button type="button" aria-pressed={chosen === h.id} onClick={() => setSearch({ hook: h.id })}>
                      {t('hook.log')}
                    </button>
                    <Act label="hook.rotate" do={change(h.id, { rotateSecret: true })} />
                    <Act
                      label={h.state === 'active' ? 'hook.disable' : 'hook.enable'}
                      do={change(h.id, { state: h.state === 'active' ? 'disabled' : 'active' })}
                    />
                  </div>
                ),
              },
            ]}
          />
        )}
      </Await>
      {chosen && <Log id={chosen} />}
    </>
  )
}

function Log({ id }: { id: string }) {
  const list = useLoad(() => get<List<Sent>>(`/webhooks/${id}/deliveries?limit=1000`), [id], { every: 5000 })
  return (
    <>
      <h2>{t('hook.log')}</h2>
      <Await of={list}>
        {({ items }) => (
          <Table<Sent>
            name="log"
            caption="hook.log"
            rows={items}
            rowKey={(s) => s.id}
            empty="hook.noLog"
            sort="-at"
            filters={[
              { id: 'state', title: 'common.state', value: (s) => s.state },
              { id: 'type', title: 'hook.event', value: (s) => s.event.type },
            ]}
            columns={[
              { id: 'at', title: 'common.at', value: (s) => s.createdAt, cell: (s) => <Time at={s.createdAt} /> },
              { id: 'type', title: 'hook.event', value: (s) => s.event.type, cell: (s) => s.event.type },
              { id: 'state', title: 'common.state', value: (s) => s.state, cell: (s) => <State of={s.state} /> },
              { id: 'attempts', title: 'hook.attempts', num: true, value: (s) => s.attempts.length, cell: (s) => s.attempts.length },
              {
                id: 'answer',
                title: 'hook.answer',
                value: (s) => s.attempts.at(-1)?.status ?? '',
                cell: (s) => `${s.attempts.at(-1)?.status ?? '–'} ${s.attempts.at(-1)?.answer.slice(0, 120) ?? ''}`,
              },
              {
                id: 'ms',
                title: 'hook.time',
                num: true,
                value: (s) => s.attempts.at(-1)?.ms,
                cell: (s) => t('hook.ms', { n: plain(s.attempts.at(-1)?.ms, 0) }),
              },
              {
                id: 'resend',
                title: 'hook.resend',
                cell: (s) => (
                  <Act
                    label="hook.resend"
                    do={async () => {
                      await post(`/webhooks/${id}/deliveries/${s.id}/resend`)
                      list.reload()
                    }}
                  />
                ),
              },
            ]}
          />
        )}
      </Await>
    </>
  )
}
