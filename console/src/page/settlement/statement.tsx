import { all, get } from '../../api.ts'
import { energy, money, percent, when } from '../../format.ts'
import { useLoad } from '../../live.ts'
import { may, zone } from '../../session.ts'
import { t } from '../../text/index.ts'
import type { Dispatch, Program, Run, ServicePoint, Statement } from '../../types.ts'
import { Await, download, Facts, Figure, State, Time } from '../../part/basics.tsx'
import { periodWords } from '../../part/period.tsx'
import { PrintButton } from '../../part/print.tsx'
import { readingsOf } from '../verification/links.ts'
import { OpenDispute } from './open-dispute.tsx'

/** Days of a year in few words: "Nov 13, Nov 16". */
const daysOf = (days: readonly string[]): string => days.map((d) => when(`${d}T12:00:00Z`, 'UTC', 'date')).join(', ') + (days[0] ? ` ${days.at(-1)!.slice(0, 4)}` : '')

/** One participant's statement; the browser's print makes the PDF (UX-064). */
export function StatementPage({ id }: { id: string }) {
  const found = useLoad(async () => {
    const s = await get<Statement>(`/statements/${id}`),
      [point, run] = await Promise.all([get<ServicePoint>(`/service-points/${s.servicePoint}`), get<Run>(`/settlement-runs/${s.run}`)]),
      [program, dispatches] = await Promise.all([get<Program>(`/programs/${run.program}`), all<Dispatch>(`/dispatches?program=${run.program}`)])
    return { s, point, run, program, dispatches: new Map(dispatches.map((d) => [d.id, d])) }
  }, [id])
  return (
    <Await of={found}>
      {({ s, point, run, program, dispatches }) => {
        const readings = (d: Dispatch | undefined): string => (d ? readingsOf(s.servicePoint, d) : `#/readings/${s.servicePoint}`)
        return (
          <article>
            <div class="row noprint">
              <a href={`#/settlement/${run.id}`}>{t('settle.run', { n: run.runNumber })}</a>
              <span class="grow" />
              <PrintButton />
              <button type="button" onClick={() => download(`statement-${s.id}.json`, 'application/json', JSON.stringify(s, null, 2))}>
                {t('statement.file')}
              </button>
            </div>
            <h1>{t('statement.for', { point: point.name })}</h1>
            <div class="cards">
              <Figure label="settle.amount" value={money(s.amount, s.currency)} />
              <Figure label="statement.paid" value={energy(s.delivered_kWh)} />
            </div>
            <section class="card">
              <Facts
                of={[
                  ['new.program', program.name],
                  [
                    'settle.period',
                    `${periodWords(s.body.period.from * 1000, s.body.period.to * 1000, program.timeZone)} (${program.timeZone})`,
                  ],
                  ['settle.number', String(run.runNumber)],
                  ['statement.made', <Time at={s.createdAt} in={program.timeZone} style="day" />],
                  ['common.state', <State of={run.state} />],
                  ['settle.delta', money(s.delta, s.currency)],
                  ['statement.price', s.body.price ? `${s.body.price} ${s.currency}` : '–'],
                  ['statement.share', percent(Number(s.body.share))],
                  ['verify.method', `${s.body.method} (${s.body.level})`],
                  ['statement.number', s.id],
                ]}
              />
            </section>
            <h2>{t('statement.lines')}</h2>
            {s.body.lines.length === 0 ? (
              <p>{t('statement.noLine')}</p>
            ) : (
              <div class="scroll" tabIndex={0} role="region" aria-label={t('statement.lines')}>
                <table>
                  <thead>
                    <tr>
                      <th scope="col">{t('statement.event')}</th>
                      <th scope="col" class="num">
                        {t('statement.paid')}
                      </th>
                      <th scope="col" class="num">
                        {t('statement.own')}
                      </th>
                      <th scope="col" class="num">
                        {t('settle.amount')}
                      </th>
                      <th scope="col">{t('statement.days')}</th>
                      <th scope="col">{t('common.state')}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {s.body.lines.map((l) => (
                      <tr key={l.dispatch}>
                        <td>
                          <a href={`#/verification/${l.dispatch}`}>
                            <Time at={dispatches.get(l.dispatch)?.start} in={program.timeZone} />
                          </a>
                        </td>
                        <td class="num" translate={false}>
                          {energy(l.paid_kWh)}
                        </td>
                        <td class="num">
                          <a href={readings(dispatches.get(l.dispatch))} translate={false}>
                            {energy(l.own_kWh)}
                          </a>
                        </td>
                        <td class="num" translate={false}>
                          {money(l.amount, s.currency)}
                        </td>
                        <td translate={false}>{daysOf(l.days ?? [])}</td>
                        <td>
                          <State of={l.status} />
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
            <p class="soft">
              {t('statement.levels')} {t('statement.disputeUntil', { day: when(s.body.dispute.until * 1000, program.timeZone, 'day') })}
            </p>
            {may('admin', 'operator', 'settlement') && <OpenDispute s={s} dispatches={dispatches} zone={program.timeZone} />}
          </article>
        )
      }}
    </Await>
  )
}
