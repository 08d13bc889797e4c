import { useState } from 'preact/hooks'
import { call, get, orNone, post, type List } from '../api.ts'
import { useLoad } from '../live.ts'
import { may, setTheme, setZone, theme, themes, zone } from '../session.ts'
import { language, languages, t, type Key } from '../text/index.ts'
import { Act, Await, D, Field, Secret, State, Time, text } from '../part/basics.tsx'
import { Table } from '../part/table.tsx'

interface Token { id: string; role: string; user: string; createdAt: string; createdBy: string; expiresAt: string | null; revokedAt: string | null }
interface Stop { id: string; scope: string; subject: string; reason: string; by: string; at: string; active: boolean; liftedAt: string | null }
const roles = ['admin', 'operator', 'dispatcher', 'settlement', 'approver', 'auditor', 'viewer', 'caOfficer', 'dso'] as const

export function Settings() {
  return (
    <><h1>{t('set.title')}</h1>
      <section class="card"><div class="form">
        <Field label="set.language"><select name="language" value={language} onChange={text((v) => { localStorage.setItem('loadstone.language', v); location.reload() })}>{languages.map((l) => <option key={l} value={l}>{t(`set.lang.${l}` as Key)}</option>)}</select></Field>
        <Field label="set.theme"><select name="theme" value={theme()} onChange={text((v) => setTheme(themes.find((x) => x === v) ?? 'auto'))}>{themes.map((x) => <option key={x} value={x}>{t(`set.theme.${x}`)}</option>)}</select></Field>
        <Field label="set.zone"><select name="zone" value={localStorage.getItem('loadstone.zone') ?? ''} onChange={text((v) => { setZone(v || null); location.reload() })}><option value="">{t('set.zoneAuto')}</option>{[...new Set([zone(), 'UTC', Intl.DateTimeFormat().resolvedOptions().timeZone])].map((z) => <option key={z} value={z} translate={false}>{z}</option>)}</select></Field>
      </div><p class="row"><a href="/docs">{t('set.openapi')}</a></p></section>
      <Stops />
      {may('admin') && <People />}
      <h2>{t('set.tokens')}</h2>{may('admin') ? <Tokens /> : <p class="soft">{t('set.adminOnly')}</p>}
    </>
  )
}

function Stops() {
  const list = useLoad(() => orNone(get<List<Stop>>('/stop')), [], { every: 10_000, when: (m) => m.action.startsWith('stop') })
  return <><h2>{t('set.stops')}</h2><Await of={list}>{(l) => <Table<Stop> name="stop" caption="set.stops" rows={l?.items ?? []} rowKey={(s) => s.id} empty="set.noStops" sort="-at" columns={[
    { id: 'at', title: 'common.at', value: (s) => s.at, cell: (s) => <Time at={s.at} /> }, { id: 'scope', title: 'set.scope', value: (s) => s.scope, cell: (s) => `${s.scope} ${s.subject}` }, { id: 'by', title: 'common.by', value: (s) => s.by, cell: (s) => s.by }, { id: 'reason', title: 'common.reason', value: (s) => s.reason, cell: (s) => s.reason },
    { id: 'state', title: 'common.state', value: (s) => String(s.active), cell: (s) => <State of={s.active ? 'active' : 'closed'} /> }, { id: 'lift', title: 'stop.lift', cell: (s) => s.active && may('admin', 'operator', 'dispatcher') ? <Act label="stop.lift" do={async () => { await post(`/stop/${s.id}/lift`); list.reload() }} /> : '' },
  ]} />}</Await></>
}

interface Person { id: string; version: number; name: string; role: string; state: string; createdAt: string; locked: boolean; password?: string; totp?: string; otpauth?: string }

/** Who signs in with password and second factor; secrets are shown once. */
function People() {
  const list = useLoad(() => get<List<Person>>('/users'), [], { when: (m) => m.action.startsWith('user') || m.action.startsWith('session') }), [f, set] = useState({ name: '', role: 'operator' }), [made, setMade] = useState<Person>()
  const change = (x: Person, body: object) => async (): Promise<void> => { const answer = await call<Person>('PATCH', `/users/${x.id}`, body); if (answer.password) setMade(answer); list.reload() }
  return (
    <>
      <h2>{t('user.list')}</h2>
      <form class="card" onSubmit={(e) => e.preventDefault()}><div class="form"><Field label="common.name"><input name="person" value={f.name} onInput={text((v) => set({ ...f, name: v }))} /></Field><Field label="set.role"><select name="person-role" value={f.role} onChange={text((v) => set({ ...f, role: v }))}>{roles.map((r) => <option key={r} translate={false}>{r}</option>)}</select></Field></div>
        <Act label="user.new" type="submit" kind="primary" disabled={f.name.trim() === ''} do={async () => { setMade(await post<Person>('/users', { name: f.name.trim(), role: f.role })); set({ ...f, name: '' }); list.reload() }} />
        {made && <><p>{t('user.secret', { name: made.name })}</p><Secret of={`${made.password}\n${made.totp}\n${made.otpauth}`} /></>}</form>
      <Await of={list}>{({ items }) => <Table<Person> name="who" caption="user.list" rows={items} rowKey={(x) => x.id} empty="user.none" sort="name" columns={[
        { id: 'name', title: 'common.name', value: (x) => x.name, cell: (x) => x.name }, { id: 'role', title: 'set.role', value: (x) => x.role, cell: (x) => x.role }, { id: 'state', title: 'common.state', value: (x) => x.state, cell: (x) => <State of={x.state} /> },
        { id: 'do', title: 'user.reset', cell: (x) => <div class="row"><Act label="user.reset" do={change(x, { reset: true })} /><Act label={x.state === 'active' ? 'user.disable' : 'user.enable'} do={change(x, { state: x.state === 'active' ? 'disabled' : 'active' })} /></div> },
      ]} />}</Await>
    </>
  )
}

function Tokens() {
  const list = useLoad(() => get<List<Token>>('/tokens'), [], { when: (m) => m.action.startsWith('token') }), [f, set] = useState({ role: 'viewer', user: '', days: '30' }), [secret, setSecret] = useState<string>()
  const make = async (): Promise<void> => { const made = await post<{ token: string }>('/tokens', { role: f.role, ...(f.user ? { user: f.user } : {}), ...(f.days ? { expiresIn_s: Math.round(Number(f.days) * 86_400) } : {}) }); setSecret(made.token); list.reload() }
  return (
    <>
      <form class="card" onSubmit={(e) => e.preventDefault()}><h3>{t('set.newToken')}</h3><div class="form"><Field label="set.role"><select name="role" value={f.role} onChange={text((v) => set({ ...f, role: v }))}>{roles.map((r) => <option key={r} translate={false}>{r}</option>)}</select></Field><Field label="common.user"><input name="user" value={f.user} onInput={text((v) => set({ ...f, user: v }))} /></Field><Field label="set.days"><input name="days" type="number" min="0" step="any" value={f.days} onInput={text((v) => set({ ...f, days: v }))} /></Field></div><Act label="set.make" type="submit" kind="primary" do={make} />{secret && <Secret of={secret} />}</form>
      <Await of={list}>{({ items }) => <Table<Token> name="tok" caption="set.tokens" rows={items} rowKey={(x) => x.id} empty="set.noTokens" sort="-created" search={(x) => `${x.user} ${x.role}`} filters={[{ id: 'role', title: 'set.role', value: (x) => x.role }]} columns={[
        { id: 'user', title: 'common.user', value: (x) => x.user, cell: (x) => x.user }, { id: 'role', title: 'set.role', value: (x) => x.role, cell: (x) => x.role }, { id: 'created', title: 'set.created', value: (x) => x.createdAt, cell: (x) => <><Time at={x.createdAt} /> <D class="soft">{x.createdBy}</D></> },
        { id: 'expires', title: 'set.expires', value: (x) => x.expiresAt, cell: (x) => x.expiresAt ? <Time at={x.expiresAt} /> : t('set.never') }, { id: 'state', title: 'common.state', value: (x) => x.revokedAt ? 'revoked' : 'active', cell: (x) => <State of={x.revokedAt ? 'revoked' : 'active'} /> }, { id: 'revoke', title: 'set.revoke', cell: (x) => x.revokedAt ? '' : <Act label="set.revoke" do={async () => { await call('DELETE', `/tokens/${x.id}`); list.reload() }} /> },
      ]} />}</Await>
    </>
  )
}
