import { useState } from 'preact/hooks'
import { ApiError } from '../api.ts'
import { enterWithCode, enterWithPasskey, enterWithToken, type Entry, type Ways } from '../door.ts'
import { place } from '../route.ts'
import { Act, Field, text } from '../part/basics.tsx'
import { t, type Key } from '../text/index.ts'

/** Why a single sign-on came back without a session. */
const failed: Readonly<Record<string, Key>> = { noRole: 'login.noRole', provider: 'login.provider', again: 'login.again' }
const words: Readonly<Partial<Record<Entry, Key>>> = { refused: 'login.wrong', locked: 'login.locked' }

/** A passkey, a name with password and code, the organisation's own sign-in, or a token: all end in the same session. */
export function Login({ ways }: { ways: Ways }) {
  const [f, set] = useState({ user: '', password: '', code: '', token: '' }), [refused, setRefused] = useState<Key | undefined>(() => failed[place().search.get('failed') ?? ''])
  const judged = (found: Entry, refusal: Key = words[found] ?? 'login.wrong'): void => {
    if (found === 'unreachable') throw new ApiError({ status: 0, title: 'unreachable', detail: t('gone.short') })
    setRefused(found === 'in' ? undefined : found === 'locked' ? 'login.locked' : refusal)
  }
  const withPasskey = async (): Promise<void> => {
    const found = await enterWithPasskey()
    judged(found === 'given up' ? 'refused' : found, 'login.noPasskey')
  }
  const withCode = async (): Promise<void> => judged(await enterWithCode({ user: f.user.trim(), password: f.password, code: f.code.replaceAll(' ', '') }))
  const withToken = async (): Promise<void> => judged(await enterWithToken(f.token.trim()), 'login.refused')
  return (
    <main id="content" class="login card">
      <h1>{t('login.title')}</h1>
      <div class="row">
        {ways.passkey && 'credentials' in navigator && <Act kind="primary" label="login.passkey" do={withPasskey} />}
        {ways.oidc && <a class="button" href="/session/oidc">{t('login.oidc', { host: ways.oidc })}</a>}
      </div>
      {refused && <p class="problem" role="alert">{t(refused)}</p>}
      <h2>{t('login.withCode')}</h2>
      <form onSubmit={(e) => e.preventDefault()}>
        <Field label="login.user"><input name="user" autocomplete="username" value={f.user} onInput={text((v) => set({ ...f, user: v }))} /></Field>
        <Field label="login.password"><input type="password" name="password" autocomplete="current-password" value={f.password} onInput={text((v) => set({ ...f, password: v }))} /></Field>
        <Field label="login.code" help={t('login.codeHelp')}>
          <input name="code" inputMode="numeric" autocomplete="one-time-code" maxLength={7} value={f.code} onInput={text((v) => set({ ...f, code: v }))} />
        </Field>
        <Act type="submit" label="login.do" disabled={f.user === '' || f.password === '' || f.code === ''} do={withCode} />
      </form>
      <details>
        <summary>{t('login.withToken')}</summary>
        <form onSubmit={(e) => e.preventDefault()}>
          <Field label="login.token" help={t('login.help')}><input type="password" name="token" autocomplete="off" value={f.token} onInput={text((v) => set({ ...f, token: v }))} /></Field>
          <Act type="submit" label="login.do" disabled={f.token.trim() === ''} do={withToken} />
        </form>
      </details>
    </main>
  )
}
