import { useState } from 'preact/hooks'
import { call, get, type List, post } from '../../api.ts'
import { useLoad } from '../../live.ts'
import { t } from '../../text/index.ts'
import { Act, Await, Field, Secret, State, text, Time } from '../../part/basics.tsx'
import { QrCode } from '../../part/qr.tsx'
import { Table } from '../../part/table.tsx'
import { roles } from './roles.ts'

interface Person {
  id: string
  version: number
  name: string
  role: string
  state: string
  createdAt: string
  locked: boolean
  passkeys: number
  password?: string
  totp?: string
  otpauth?: string
}

const stateOf = (x: Person): string => (x.state === 'active' && x.locked ? 'locked' : x.state)

/** Another role is chosen, then given by name: it signs the person out, so no slip of the mouse may do it. */
function Role({ of: x, change }: { of: Person; change: (x: Person, body: object) => () => Promise<void> }) {
  const [role, set] = useState(x.role)
  return (
    <div class="row">
      <select aria-label={t('set.role')} value={role} onChange={text(set)}>
        {roles.map((r) => (
          <option key={r} translate={false}>
            {r}
          </option>
        ))}
      </select>
      {role !== x.role && <Act label="user.give" values={{ role }} kind="primary" do={change(x, { role })} />}
    </div>
  )
}

/** Who signs in with password and second factor; secrets are shown once. */
export function People() {
  const list = useLoad(() => get<List<Person>>('/users'), [], { when: (m) => m.action.startsWith('user') || m.action.startsWith('session') }),
    [f, set] = useState({ name: '', role: 'operator' }),
    [made, setMade] = useState<Person>()
  const change = (x: Person, body: object) => async (): Promise<void> => {
    const answer = await call<Person>('PATCH', `/users/${x.id}`, body)
    if (answer.password) setMade(answer)
    list.reload()
  }
  return (
    <>
      <h2>{t('user.list')}</h2>
      <form class="card" onSubmit={(e) => e.preventDefault()}>
        <div class="form">
          <Field label="common.name">
            <input name="person" value={f.name} onInput={text((v) => set({ ...f, name: v }))} />
          </Field>
          <Field label="set.role">
            <select name="person-role" value={f.role} onChange={text((v) => set({ ...f, role: v }))}>
              {roles.map((r) => (
                <option key={r} translate={false}>
                  {r}
                </option>
              ))}
            </select>
          </Field>
        </div>
        <Act
          label="user.new"
          type="submit"
          kind="primary"
          disabled={f.name.trim() === ''}
          do={async () => {
            setMade(await post<Person>('/users', { name: f.name.trim(), role: f.role }))
            set({ ...f, name: '' })
            list.reload()
          }}
        />
        {made && (
          <>
            <p>{t('user.secret', { name: made.name })}</p>
            {made.otpauth && <QrCode of={made.otpauth} />}
            <Secret of={`${made.password}\n${made.totp}\n${made.otpauth}`} />
          </>
        )}
      </form>
      <Await of={list}>
        {({ items }) => (
          <Table<Person>
            name="who"
            caption="user.list"
            rows={items}
            rowKey={(x) => x.id}
            empty="user.none"
            sort="name"
            columns={[
              { id: 'name', title: 'common.name', value: (x) => x.name, cell: (x) => x.name },
              { id: 'role', title: 'set.role', value: (x) => x.role, cell: (x) => <Role of={x} change={change} /> },
              { id: 'state', title: 'common.state', value: (x) => stateOf(x), cell: (x) => <State of={stateOf(x)} /> },
              { id: 'passkeys', wide: true, title: 'user.passkeys', num: true, value: (x) => x.passkeys, cell: (x) => x.passkeys },
              { id: 'since', wide: true, title: 'set.created', value: (x) => x.createdAt, cell: (x) => <Time at={x.createdAt} /> },
              {
                id: 'do',
                title: 'user.reset',
                cell: (x) => (
                  <div class="row">
                    <Act label="user.reset" do={change(x, { reset: true })} />
                    <Act
                      label={x.state === 'active' ? 'user.disable' : 'user.enable'}
                      do={change(x, { state: x.state === 'active' ? 'disabled' : 'active' })}
                    />
                  </div>
                ),
              },
            ]}
          />
        )}
      </Await>
    </>
  )
}
