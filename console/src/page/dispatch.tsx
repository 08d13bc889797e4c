import { useRef } from 'preact/hooks'
import { dispatchers, releasers } from '../access.ts'
import { all, get, post } from '../api.ts'
import { energy, money, percent, power } from '../format.ts'
import { useLoad } from '../live.ts'
import { gridOnly, may } from '../session.ts'
import { t } from '../text/index.ts'
import type { Dispatch, Progress } from '../types.ts'
import { Act, Age, Await, D, Figure, Loading, State } from '../part/basics.tsx'
import { directionOf, orderWords, window } from '../part/dispatch-words.tsx'
import { everything, type Everything } from './dispatch/everything.ts'
import { Cancel } from './dispatch/cancel.tsx'
import { Change } from './dispatch/change.tsx'
import { Explanation } from './dispatch/explanation.tsx'
import { Steps } from './dispatch/steps.tsx'
import { PowerChart } from './dispatch/power-chart.tsx'
import { Parts } from './dispatch/parts.tsx'
import { History, Moves, Split } from './dispatch/moves.tsx'

/** The page of one event, live: what was ordered, who does it, what the meters say, and the way to stop it (UX-046). */
export function DispatchPage({ id }: { id: string }) {
  const ours = (m: { action: string; entity: string }): boolean =>
    m.entity === id || m.action.startsWith('delivery') || m.action.startsWith('dispatch') || m.action.startsWith('settlementRun')
  const kept = useRef<{ all: Everything; at: number } | undefined>(undefined)
  const all_ = useLoad(
    async (partly: (e: Everything) => void) => {
      const found = await everything(id, kept.current, partly)
      if (found.performance !== kept.current?.all.performance) kept.current = { all: found, at: Date.now() }
      return found
    },
    [id],
    { every: 5000, when: ours, pause: 1000 },
  )
  // the order itself is small: its state is on the page before two thousand parts have come
  const head = useLoad(() => get<Dispatch>(`/dispatches/${id}`), [id], { every: 5000, when: (m) => m.entity === id, pause: 250 })
  const newer = (e: Everything): Everything => (head.data && head.data.version > e.dispatch.version ? { ...e, dispatch: head.data } : e)
  const progress = useLoad(() => get<Progress>(`/dispatches/${id}/progress`), [id], { every: 2000 })
  return (
    <Await of={all_}>
      {(e) => (
        <Found
          e={newer(e)}
          progress={progress.data}
          reload={() => {
            head.reload()
            all_.reload()
            progress.reload()
          }}
        />
      )}
    </Await>
  )
}

/** `/live`: the newest running dispatch, else the next, else the last; waits until there is one. */
export function LivePage() {
  const found = useLoad(
    async () => {
      const o = await get<{ live: { id: string }[]; next: { id: string }[]; last: { id: string } | null }>('/overview')
      return o.live.at(-1)?.id ?? o.next[0]?.id ?? o.last?.id ?? ''
    },
    [],
    { every: 2000, when: (m) => m.action.startsWith('dispatch') },
  )
  if (found.data) return <DispatchPage id={found.data} />
  return (
    <Await of={found}>
      {() => (
        <>
          <h1>{t('live.title')}</h1>
          <p class="card empty" role="status">
            {t('live.waiting')}
          </p>
        </>
      )}
    </Await>
  )
}

function Found({ e, progress, reload }: { e: Everything; progress: Progress | undefined; reload: () => void }) {
  const { dispatch: d, performance: p, run } = e,
    direction = directionOf(d, e.program.direction),
    final = p.delivered_kWh !== undefined && p.delivered_kWh !== null
  const asked = final ? p.ordered_kWh : (progress?.asked_kWh ?? 0),
    delivered = final ? p.delivered_kWh : (progress?.delivered_kWh ?? null)
  const hours = (Date.parse(d.end) - Date.parse(d.start)) / 3_600_000
  return (
    <div class="dispatch">
      <div class="row titlebar">
        <div class="grow">
          <h1>{orderWords(d.power_kW, direction)}</h1>
          <p class="row">
            <State of={d.state} />
            <D>
              {window(d.start, d.end, d.timeZone)} <span class="soft">{d.timeZone}</span>
            </D>
            <a href={`#/programs/${d.program}`} translate={false}>
              {d.programName}
            </a>
            {d.reason && <D class="soft">“{d.reason}”</D>}
            <Age at={progress?.at ?? d.modifiedAt} />
          </p>
        </div>
        {may(...dispatchers) && (
          <a class="button" href={`#/dispatches/new?copy=${d.id}`}>
            {t('dispatch.copy')}
          </a>
        )}
        <Change d={d} reload={reload} />
        <Cancel d={d} reload={reload} />
      </div>
      {d.state === 'pendingRelease' && (
        <div class="card notice row">
          <p class="grow">{t('dispatch.waits', { by: d.createdBy })}</p>
          {may(...releasers) && (
            <Act
              kind="primary"
              label="dispatch.release"
              do={async () => {
                await post(`/dispatches/${d.id}/release`)
                reload()
              }}
            />
          )}
        </div>
      )}
      {!e.partial && <Steps e={e} progress={progress} />}
      <div class="story">
        {e.partial ? <Loading /> : <Explanation e={e} progress={progress} direction={direction} />}
        <PowerChart d={d} p={p} progress={progress} />
      </div>
      <div class="cards">
        <Figure label="dispatch.ordered" value={power(Math.abs(d.power_kW))}>
          <p class="soft" translate={false}>
            {energy(Math.abs(d.power_kW) * hours)}
          </p>
        </Figure>
        <Figure label="dispatch.placed" value={power(d.allocated_kW)}>
          <p class="soft">{d.shortfall_kW > 0 ? t('dispatch.notPlaced', { power: power(d.shortfall_kW) }) : t('dispatch.allPlaced')}</p>
        </Figure>
        <Figure label={final ? 'dispatch.delivered' : 'dispatch.soFar'} value={energy(delivered)} href={`#/verification/${d.id}`}>
          <p class="soft">{asked > 0 && delivered !== null ? t('dispatch.ofOrder', { share: percent(delivered / asked) }) : t('step.open')}</p>
        </Figure>
        {run ? (
          <Figure label="dispatch.revenue" value={money(run.revenue, run.currency)} href={`#/settlement/${run.id}`}>
            <p class="soft">
              <a href={`#/settlement/${run.id}`}>{t('dispatch.seeMoney')}</a>
            </p>
          </Figure>
        ) : (
          <Figure label="dispatch.shortfall" value={asked > 0 && delivered !== null ? energy(Math.max(0, asked - delivered)) : '–'}>
            <p class="soft">{t(final ? 'step.verified' : asked > 0 && delivered !== null ? 'dispatch.untilNow' : 'step.open')}</p>
          </Figure>
        )}
      </div>
      {!e.partial && (
        <>
          <div class="columns">
            <Split d={d} deliveries={e.deliveries} />
            {!gridOnly() && <Moves e={e} />}
          </div>
          <h2>{t('dispatch.deliveries')}</h2>
          {gridOnly() ? <p class="soft">{t('access.grid')}</p> : <Parts e={e} progress={progress} />}
        </>
      )}
      {may('admin', 'auditor') && <History id={d.id} zone={d.timeZone} version={d.version} />}
    </div>
  )
}
