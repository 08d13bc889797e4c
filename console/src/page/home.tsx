import { get } from '../api.ts'
import { ageOf, count, listed, power } from '../format.ts'
import { useLoad } from '../live.ts'
import { zone } from '../session.ts'
import { knows, t, type Key } from '../text/index.ts'
import type { Overview } from '../types.ts'
import { Age, Await, Figure } from '../part/basics.tsx'
import { BriefCard } from '../part/dispatch-words.tsx'

const leadsTo = (kind: string, subject: string | undefined): string =>
  ({ approval: `#/settlement/${subject}`, dispute: `#/disputes/${subject}`, stop: '#/dispatches' })[kind] ?? `#/dispatches/${subject}?part.sort=state`

/** Enrolled, available, dispatched; what runs; what needs a person: in one look (UX-045). */
export function Home() {
  const overview = useLoad(() => get<Overview>('/overview'), [], { every: 5000, when: (m) => !m.action.startsWith('reading'), pause: 2000 })
  return (
    <>
      <div class="row">
        <h1 class="grow">{t('home.title')}</h1>
        <a class="button" href="#/find">
          {t('find.title')}
        </a>
        <a class="button primary" href="#/dispatches/new">
          {t('dispatch.create')}
        </a>
      </div>
      <Await of={overview}>{(o) => <Found o={o} />}</Await>
    </>
  )
}

const steps = [
  ['home.first.program', '#/programs/new'],
  ['home.first.devices', '#/devices/new-charger'],
  ['home.first.enrol', '#/programs'],
  ['home.first.dispatch', '#/dispatches/new'],
] as const

/** A server on which nothing is yet: what comes first, in order. */
const FirstSteps = () => (
  <section class="card" data-part="first-steps">
    <h2>{t('home.first')}</h2>
    <ol>
      {steps.map(([key, to]) => (
        <li key={key}>
          <a href={to}>{t(key)}</a> <span class="soft">{t(`${key}Help`)}</span>
        </li>
      ))}
    </ol>
  </section>
)

function Found({ o }: { o: Overview }) {
  const { enrolled: e, available: a } = o
  return (
    <>
      {e.devices === 0 && <FirstSteps />}
      <div class="cards">
        <Figure label="home.enrolled" value={power(e.kW)} href="#/devices">
          <p>{t('home.devices', { n: count(e.devices) })}</p>
          <p class="soft">
            {t('home.split', { openadr: power(e.byProtocol.openadr), ieee2030_5: power(e.byProtocol.ieee2030_5), ocpp: power(e.byProtocol.ocpp) })}
          </p>
          <Age at={o.at} />
        </Figure>
        <Figure label="home.available" value={power(a.down_kW)} href="#/devices?dev.sort=-available">
          <p>{t('home.devices', { n: count(a.devices) })}</p>
          {a.unknown > 0 && <p class="soft">{t('home.unknown', { n: count(a.unknown) })}</p>}
          <Age at={a.heardAt ?? o.at} />
        </Figure>
        <Figure label="home.dispatched" value={power(o.dispatched.kW)} href="#/dispatches">
          <p>{t('home.running', { n: o.dispatched.dispatches })}</p>
          <Age at={o.at} />
        </Figure>
      </div>
      <div class="columns">
        <section>
          <h2>{t('home.live')}</h2>
          {[...o.live, ...o.next].map((b) => (
            <BriefCard key={b.id} of={b} zone={zone()} />
          ))}
          {o.live.length + o.next.length === 0 && <p class="card empty">{t('home.noEvents')}</p>}
          {o.last && (
            <>
              <h2>{t('home.lastEvent')}</h2>
              <BriefCard of={o.last} zone={zone()} />
            </>
          )}
        </section>
        <section>
          <h2>{t('home.trouble')}</h2>
          {o.trouble.length === 0 ? (
            <p class="card empty">{t('home.noTrouble')}</p>
          ) : (
            <ul class="trouble">
              {o.trouble.map((x) => (
                <li key={x.kind + x.subject} class="card">
                  <a href={leadsTo(x.kind, x.subject)}>
                    {knows('trouble', x.kind)
                      ? t(`trouble.${x.kind}` as Key, { n: count(x.count), names: listed((x.names ?? []).slice(0, 5)) })
                      : x.kind}
                  </a>{' '}
                  <span class="age">{ageOf(x.at)}</span>
                </li>
              ))}
            </ul>
          )}
        </section>
      </div>
    </>
  )
}
