import { useState } from 'preact/hooks'
import { call, get, post, type List } from '../api.ts'
import { useLoad } from '../live.ts'
import { setSearch, usePlace } from '../route.ts'
import { t } from '../text/index.ts'
import { Act, Await, D, Field, Secret, State, Time, text } from '../part/basics.tsx'
import { Table } from '../part/table.tsx'
import { Log } from './webhooks/log.tsx'
import { signsAlong, type Hook } from './webhooks/hook.ts'

/** Who is told of events outside, what was sent to them, and with which secret it is signed (UX-030). */
export function Webhooks() {
  const { search } = usePlace(),
    list = useLoad(() => get<List<Hook>>('/webhooks?limit=1000'), [], { every: 10_000, when: (m) => m.action.startsWith('webhook') }),
    [made, setMade] = useState<Hook>()
  const change = (id: string, body: object) => async (): Promise<void> => {
    const answer = await call<Hook>('PATCH', `/webhooks/${id}`, body)
    if (answer.secret) setMade(answer)
    list.reload()
  }
  const test = (h: Hook) => async (): Promise<void> => {
    await post(`/webhooks/${h.id}/test`)
    setSearch({ hook: h.id, from: null, to: null, was: null })
  }
  const chosen = list.data?.items.find((h) => h.id === search.get('hook'))
  return (
    <>
      <h1>{t('hook.list')}</h1>
      <New tell={(h) => { setMade(h); list.reload() }} />
      {made && <NewSecret of={made} />}
      <Await of={list}>
        {({ items }) => (
          <Table<Hook>
            name="wh"
            caption="hook.list"
            rows={items}
            rowKey={(h) => h.id}
            empty="hook.none"
            columns={[
              { id: 'url', title: 'hook.url', value: (h) => h.url, cell: (h) => <D class="long">{h.url}</D> },
              { id: 'events', title: 'hook.event', value: (h) => h.events.join(' '), cell: (h) => h.events.join(', ') },
              {
                id: 'state',
                title: 'common.state',
                value: (h) => h.state,
                cell: (h) => (
                  <>
                    <State of={h.state} />
                    {signsAlong(h) && <p class="soft">{t('hook.oldUntil')} <Time at={h.oldSecretUntil} /></p>}
                  </>
                ),
              },
              {
                id: 'do',
                title: 'hook.log',
                cell: (h) => (
                  <div class="row">
                    <button type="button" aria-pressed={chosen === h} onClick={() => setSearch({ hook: h.id, from: null, to: null, was: null })}>
                      {t('hook.log')}
                    </button>
                    <Act label="hook.test" disabled={h.state !== 'active'} do={test(h)} />
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
      {chosen && <Log key={chosen.id} of={chosen} />}
    </>
  )
}

function New({ tell }: { tell: (made: Hook) => void }) {
  const [f, set] = useState({ url: '', events: '*' })
  const add = async (): Promise<void> => {
    tell(await post<Hook>('/webhooks', { url: f.url, events: f.events.split(/[\s,]+/).filter((x) => x !== '') }))
    set({ ...f, url: '' })
  }
  return (
    <form class="card" onSubmit={(e) => e.preventDefault()}>
      <div class="form">
        <Field label="hook.url">
          <input name="url" type="url" value={f.url} onInput={text((v) => set({ ...f, url: v }))} />
        </Field>
        <Field label="hook.events" help={t('hook.eventsHelp')}>
          <input name="events" value={f.events} onInput={text((v) => set({ ...f, events: v }))} />
        </Field>
      </div>
      <Act label="hook.new" type="submit" kind="primary" disabled={f.url === ''} do={add} />
    </form>
  )
}

/** Shown this once; after a rotation with how long the old one still signs. */
const NewSecret = ({ of: h }: { of: Hook }) => (
  <section class="card" role="status" data-secret-of={h.id}>
    <h2>{t('hook.secret')}</h2>
    <D class="long">{h.url}</D>
    {signsAlong(h) && <p>{t('hook.overlap')} <Time at={h.oldSecretUntil} /></p>}
    <Secret of={h.secret!} />
    <p class="soft">{t('hook.signed')}</p>
  </section>
)
