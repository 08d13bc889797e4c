import { render } from 'preact'
import './style/ground.css'
import './style/content.css'
import './style/controls.css'
import './style/parts.css'
import './style/curve.css'
import './style/forms.css'
import './style/screens.css'
import { enterWithToken } from './door.ts'
import { App } from './app.tsx'
import { place } from './route.ts'
import { applyTheme } from './session.ts'
import { useLanguage } from './text/index.ts'

/** `#/login?token=…&to=/live`, as a server prints it: the token leaves the address and the history at once and becomes a cookie. A fragment never reaches a server. */
async function takeToken(): Promise<void> {
  const { path, search } = place(),
    given = search.get('token')
  // why a single sign-on came back stays until the person has read it
  if (path !== '/login' || search.has('failed')) return
  history.replaceState(null, '', `#${search.get('to')?.startsWith('/') ? search.get('to') : '/'}`)
  if (given) await enterWithToken(given)
}

await takeToken()
addEventListener('hashchange', () => void takeToken())
applyTheme()
await useLanguage(localStorage.getItem('loadstone.language') ?? (navigator.language.startsWith('de') ? 'de' : 'en'))
render(<App />, document.getElementById('app') as HTMLElement)
