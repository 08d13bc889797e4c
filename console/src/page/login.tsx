import { useState } from 'preact/hooks'
import { ApiError, get, setToken } from '../api.ts'
import { Act, Field, text } from '../part/basics.tsx'
import { t, type Key } from '../text/index.ts'

/** A name with password and second factor, or a token. Both end in the same thing: a token of this tab. */
export function Login() {
  const [f, set] = useState({ user: '', password: '', code: '', token: '' }),
    [refused, setRefused] = useState<Key>()
  const withToken = async (): Promise<void> => {
    setRefused(undefined)
    const value = f.token.trim()
    sessionStorage.setItem('loadstone.token', value)
    try {
      await get('/me')
      setToken(value)
    } catch (error) {
      setToken(null)
      if (error instanceof ApiError && error.problem.status === 401) setRefused('login.refused')
      else throw error
    }
  }
  const withCode = async (): Promise<void> => {
    setRefused(undefined)
    const answer = await fetch('/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user: f.user.trim(), password: f.password, code: f.code.replaceAll(' ', '') }),
    }).catch(() => {
      throw new ApiError({ status: 0, title: 'unreachable', detail: t('gone.short') })
    })
    if (answer.status === 201) return setToken(((await answer.json()) as { token: string }).token)
    setRefused(answer.status === 429 ? 'login.locked' : 'login.wrong')
  }
  return (
    <main id="content" class="login card">
      <h1>{t('login.title')}</h1>
      <form onSubmit={(e) => e.preventDefault()}>
        <Field label="login.user">
          <input name="user" autocomplete="username" value={f.user} onInput={text((v) => set({ ...f, user: v }))} />
        </Field>
        <Field label="login.password">
          <input
            type="password"
            name="password"
            autocomplete="current-password"
            value={f.password}
            onInput={text((v) => set({ ...f, password: v }))}
          />
        </Field>
        <Field label="login.code" help={t('login.codeHelp')}>
          <input
            name="code"
            inputMode="numeric"
            autocomplete="one-time-code"
            maxLength={7}
            value={f.code}
            onInput={text((v) => set({ ...f, code: v }))}
          />
        </Field>
        <Act type="submit" kind="primary" label="login.do" disabled={f.user === '' || f.password === '' || f.code === ''} do={withCode} />
      </form>
      {refused && (
        <p class="problem" role="alert">
          {t(refused)}
        </p>
      )}
      <details>
        <summary>{t('login.withToken')}</summary>
        <form onSubmit={(e) => e.preventDefault()}>
          <Field label="login.token" help={t('login.help')}>
            <input type="password" name="token" autocomplete="off" value={f.token} onInput={text((v) => set({ ...f, token: v }))} />
          </Field>
          <Act type="submit" kind="primary" label="login.do" disabled={f.token.trim() === ''} do={withToken} />
        </form>
      </details>
    </main>
  )
}
