import { useState } from 'preact/hooks'
import { addPasskey, endSession, myPasskeys, mySessions, removePasskey, type MyPasskey, type MySession } from '../../door.ts'
import { useLoad } from '../../live.ts'
import { t, word } from '../../text/index.ts'
import { Act, Await, D, Field, Time, text } from '../../part/basics.tsx'
import { Table } from '../../part/table.tsx'

/** "Chrome on Linux", roughly: enough to recognise one's own machine. */
const machine = (agent: string): string => {
  const browser = /Edg|OPR|Firefox|Chrome|Safari/.exec(agent)?.[0] ?? agent.slice(0, 40), system = /Windows|Android|iPhone|iPad|Mac OS X|Linux/.exec(agent)?.[0]
  return system ? `${browser}, ${system}` : browser
}

/** Who is signed in where; each ends at once from here (UX-052). */
export function Sessions() {
  const list = useLoad(mySessions, [], { every: 15_000, when: (m) => m.action.startsWith('session') })
  return (
    <>
      <h2>{t('session.list')}</h2>
      <Await of={list}>
        {({ items }) => (
          <Table<MySession>
            name="ses" caption="session.list" rows={items} rowKey={(x) => x.id} empty="session.none" sort="-since" search={(x) => `${x.user} ${x.agent}`}
            columns={[
              { id: 'user', title: 'common.user', value: (x) => x.user, cell: (x) => x.user },
              { id: 'by', title: 'session.by', value: (x) => x.by, cell: (x) => word('session.by', x.by) },
              { id: 'machine', title: 'session.machine', value: (x) => x.agent, cell: (x) => <>{x.current && <strong>{t('session.this')} </strong>}<D>{machine(x.agent)}</D></> },
              { id: 'since', title: 'session.since', value: (x) => x.createdAt, cell: (x) => <Time at={x.createdAt} /> },
              { id: 'until', title: 'set.expires', value: (x) => x.expiresAt, cell: (x) => <Time at={x.expiresAt} /> },
              { id: 'end', title: 'session.end', cell: (x) => <Act label="session.end" do={async () => { await endSession(x.id); list.reload() }} /> },
            ]}
          />
        )}
      </Await>
    </>
  )
}

/** A key in the machine or the pocket instead of password and code. */
export function Passkeys() {
  const list = useLoad(myPasskeys, []), [label, set] = useState(''), [failed, setFailed] = useState(false)
  const add = async (): Promise<void> => {
    setFailed(!(await addPasskey(label.trim())))
    set('')
    list.reload()
  }
  return (
    <>
      <h2>{t('passkey.list')}</h2>
      <Await of={list}>
        {({ person, items }) => !person ? <p class="soft">{t('passkey.nobody')}</p> : (
          <section class="card">
            {items.length === 0 ? <p>{t('passkey.none')}</p> : (
              <ul class="trouble">{items.map((k: MyPasskey) => <li key={k.id} class="row"><D>{k.label}</D><Time at={k.createdAt} /><Act label="passkey.remove" do={async () => { await removePasskey(k.id); list.reload() }} /></li>)}</ul>
            )}
            <form class="row" onSubmit={(e) => e.preventDefault()}>
              <Field label="passkey.label"><input name="passkey" value={label} maxLength={100} onInput={text(set)} /></Field>
              <Act label="passkey.add" type="submit" kind="primary" disabled={label.trim() === ''} do={add} />
            </form>
            {failed && <p class="problem" role="alert">{t('passkey.failed')}</p>}
          </section>
        )}
      </Await>
    </>
  )
}
