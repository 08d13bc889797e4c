import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { entrance, leave, type Entrance } from './door.ts'

import { staff } from './access.ts'
import { listed, span, when } from './format.ts'
import { answered, useGone, useLiveStream } from './live.ts'
import { Failure } from './part/basics.tsx'
import { Broken } from './part/broken.tsx'
import { StopAll, StopBanner } from './part/stop-all.tsx'
import { match, usePlace } from './route.ts'
import { isDemoClock, may, rate, serverNow, useMe, useTick, zone } from './session.ts'
import { t, type Key } from './text/index.ts'
import { pages } from './pages.tsx'
import { Login } from './page/login.tsx'
import { Setup } from './page/setup.tsx'

const nav: readonly { path: string; key: Key }[] = [
  { path: '/', key: 'nav.home' },
  { path: '/dispatches', key: 'nav.dispatches' },
  { path: '/devices', key: 'nav.devices' },
  { path: '/programs', key: 'nav.programs' },
  { path: '/verification', key: 'nav.verification' },
  { path: '/settlement', key: 'nav.settlement' },
  { path: '/vendors', key: 'nav.vendors' },
  { path: '/audit', key: 'nav.audit' },
  { path: '/webhooks', key: 'nav.webhooks' },
  { path: '/conformance', key: 'nav.conformance' },
  { path: '/settings', key: 'nav.settings' },
]

/** Whether somebody of this role sees a page at all. */
const sees = (path: string): boolean => {
  const roles = pages.find((x) => match(x.pattern, path))?.roles
  return !roles || may(...roles)
}

function Gone() {
  const since = useGone()
  useTick(1000)
  return since === null ? null : (
    <div class="banner" role="alert" data-banner="gone">
      {t('gone.banner', { age: span(Date.now() - since) })}
    </div>
  )
}

function DemoClock() {
  useTick(1000)
  if (!isDemoClock()) return null
  const time = `${when(serverNow(), zone())} ${zone()}`
  return <p class="demo-clock">{rate() === 1 ? t('clock.demo', { time }) : t('clock.lapse', { time, rate: rate() })}</p>
}

export function App() {
  const [found, set] = useState<Entrance>(), gone = useGone()
  useEffect(() => {
    let over = false, timer: ReturnType<typeof setTimeout> | undefined
    const look = async (): Promise<void> => {
      const answer = await entrance()
      if (over) return
      answered(answer !== undefined)
      if (answer) set((before) => (before?.signedIn === answer.signedIn ? before : answer))
      else timer = setTimeout(() => void look(), 2000)
    }
    const changed = (): void => void look()
    addEventListener('loadstone.session', changed)
    void look()
    return () => { over = true; clearTimeout(timer); removeEventListener('loadstone.session', changed) }
  }, [])
  const here = usePlace(), setup = here.path === '/setup' ? here.search.get('secret') : null
  if (setup) return <Setup secret={setup} />
  if (!found) return gone === null ? null : <Gone />
  return found.signedIn ? <Inside /> : <Login ways={found.ways} />
}

function Inside() {
  const here = usePlace(),
    { me, error, reload } = useMe()
  // the network operator sees the grid, not whatever happens to customers
  useLiveStream(me !== undefined && may(...staff))
  const first = `/${here.path.split('/')[1]}`
  const section = nav.find(
    (n) =>
      n.path ===
      ({
        '/live': '/dispatches',
        '/statements': '/settlement',
        '/disputes': '/settlement',
        '/certificates': '/vendors',
        '/baselines': '/verification',
        '/readings': '/devices',
        '/find': '/devices',
      }[first] ?? first),
  )
  useEffect(() => {
    // on a phone the navigation is a strip: where we are must be in sight
    document.querySelector('nav.main [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' })
    document.title = section ? `${t(section.key)} · ${t('app.name')}` : t('app.name')
  }, [section?.key])
  return (
    <>
      <a
        class="skip"
        href="#content"
        onClick={(e) => {
          e.preventDefault()
          document.getElementById('content')?.focus()
        }}
      >
        {t('app.skip')}
      </a>
      <header class="top">
        <a class="name" href="#/">
          <img src="./icon.svg" alt="" width="22" height="22" />
          <span translate={false}>{t('app.name')}</span>
        </a>
        <nav class="main" aria-label={t('nav.main')}>
          {nav
            .filter((n) => sees(n.path))
            .map((n) => (
              <a key={n.path} href={`#${n.path}`} aria-current={section === n ? 'page' : undefined}>
                {t(n.key)}
              </a>
            ))}
        </nav>
        <StopAll />
      </header>
      <Gone />
      {me && <StopBanner />}
      {me && <DemoClock />}
      <main id="content" tabIndex={-1}>
        {me ? (
          <Page path={here.path} />
        ) : error ? (
          <Failure error={error} retry={reload} />
        ) : (
          <p class="empty" role="status" data-loading>
            {t('common.loading')}
          </p>
        )}
      </main>
      {me && (
        <footer class="soft row noprint">
          <span>{t('login.as', { user: me.user, role: me.roles.join(', ') })}</span>
          <button type="button" onClick={() => void leave()}>
            {t('login.out')}
          </button>
        </footer>
      )}
    </>
  )
}

function Page({ path }: { path: string }): ComponentChildren {
  for (const { pattern, roles, show } of pages) {
    const found = match(pattern, path)
    if (!found) continue
    if (!roles || may(...roles)) return <Broken key={path}><div>{show(found)}</div></Broken>
    // whoever comes in begins at the first page that is theirs
    const first = nav.find((n) => sees(n.path))!.path
    return path === '/' || path === '/login' ? <Page path={first} /> : <NotYours roles={roles} first={first} />
  }
  return (
    <p class="card empty">
      {t('common.notFound')} <a href="#/">{t('common.home')}</a>
    </p>
  )
}

/** A link that a colleague sent, of a page that this role does not see. */
const NotYours = ({ roles, first }: { roles: readonly string[]; first: string }) => (
  <section class="card empty" data-not-yours>
    <h1>{t('access.title')}</h1>
    <p>
      {t('access.why', { roles: listed(roles) })} <a href={`#${first}`}>{t('common.home')}</a>
    </p>
  </section>
)
