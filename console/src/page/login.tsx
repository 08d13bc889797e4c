import { useState } from 'preact/hooks'
import { ApiError, get, setToken } from '../api.ts'
import { Act, Field, text } from '../part/basics.tsx'
import { t } from '../text/index.ts'

export function Login() {
  const [value, set] = useState(''), [refused, setRefused] = useState(false)
  const signIn = async (): Promise<void> => {
    setRefused(false)
    sessionStorage.setItem('loadstone.token', value.trim())
    try {
      await get('/me')
      setToken(value.trim())
    } catch (error) {
      setToken(null)
      if (error instanceof ApiError && error.problem.status === 401) setRefused(true)
      else throw error
    }
  }
  return (
    <main id="content" class="login card">
      <h1>{t('login.title')}</h1>
      <form onSubmit={(e) => e.preventDefault()}>
        <Field label="login.token" help={t('login.help')}><input type="password" name="token" autocomplete="current-password" autofocus value={value} onInput={text(set)} /></Field>
        {refused && <p class="problem" role="alert">{t('login.refused')}</p>}
        <Act type="submit" kind="primary" label="login.do" disabled={value.trim() === ''} do={signIn} />
      </form>
    </main>
  )
}
