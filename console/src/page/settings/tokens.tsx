import { useState } from 'preact/hooks'
import { call, get, type List, post } from '../../api.ts'
import { useLoad } from '../../live.ts'
import { serverNow } from '../../session.ts'
import { t } from '../../text/index.ts'
import { Act, Await, D, Field, Secret, State, text, Time } from '../../part/basics.tsx'
import { Table } from '../../part/table.tsx'
import { roles } from './roles.ts'

interface Token {
  id: string
  role: string
  user: string
  createdAt: string
  createdBy: string
  expiresAt: string | null
  revokedAt: string | null
}

const stateOf = (x: Token): string => (x.revokedAt ? 'revoked' : x.expiresAt !== null && Date.parse(x.expiresAt) <= serverNow() ? 'expired' : 'active')

export function Tokens() {
  const list = useLoad(() => get<List<Token>>('/tokens'), [], { when: (m) => m.action.startsWith('token') }),
    [f, set] = useState({ role: 'viewer', user: '', days: '30' }),
    [secret, setSecret] = useState<string>()
  const make = async (): Promise<void> => {
    const made = await post<{ token: string }>('/tokens', {
      role: f.role,
      ...(f.user ? { user: f.user } : {}),
      ...(f.days ? { expiresIn_s: Math.round(Number(f.days) * 86_400) } : {}),
    })
    setSecret(made.token)
    list.reload()
  }
  return (
    <>
      <form class="card" onSubmit={(e) => e.preventDefault()}>
        <h3>{t('set.newToken')}</h3>
        <div class="form">
          <Field label="set.role">
            <select name="role" value={f.role} onChange={text((v) => set({ ...f, role: v }))}>
              {roles.map((r) => (
                <option key={r} translate={false}>
                  {r}
                </option>
              ))}
            </select>
          </Field>
          <Field label="common.user">
            <input name="user" value={f.user} onInput={text((v) => set({ ...f, user: v }))} />
          </Field>
          <Field label="set.days">
            <input name="days" type="number" min="0" step="any" value={f.days} onInput={text((v) => set({ ...f, days: v }))} />
          </Field>
        </div>
        <Act label="set.make" type="submit" kind="primary" do={make} />
        {secret && <Secret of={secret} />}
      </form>
      <Await of={list}>
        {({ items }) => (
          <Table<Token>
            name="tok"
            caption="set.tokens"
            rows={items}
            rowKey={(x) => x.id}
            empty="set.noTokens"
            sort="-created"
            search={(x) => `${x.user} ${x.role}`}
            filters={[{ id: 'role', title: 'set.role', value: (x) => x.role }]}
            columns={[
              { id: 'user', title: 'common.user', value: (x) => x.user, cell: (x) => x.user },
              { id: 'role', title: 'set.role', value: (x) => x.role, cell: (x) => x.role },
              {
                id: 'created',
                title: 'set.created',
                value: (x) => x.createdAt,
                cell: (x) => (
                  <>
                    <Time at={x.createdAt} /> <D class="soft">{x.createdBy}</D>
                  </>
                ),
              },
              {
                id: 'expires',
                title: 'set.expires',
                value: (x) => x.expiresAt,
                cell: (x) => (x.expiresAt ? <Time at={x.expiresAt} /> : t('set.never')),
              },
              {
                id: 'state',
                title: 'common.state',
                value: stateOf,
                cell: (x) => <State of={stateOf(x)} />,
              },
              {
                id: 'revoke',
                title: 'set.revoke',
                cell: (x) =>
                  stateOf(x) !== 'active' ? (
                    ''
                  ) : (
                    <Act
                      label="set.revoke"
                      do={async () => {
                        await call('DELETE', `/tokens/${x.id}`)
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
