import { useMemo } from 'preact/hooks'
import { all, get, orNone, post } from '../api.ts'
import { energy, listed, percent, plain, power } from '../format.ts'
import { useLoad } from '../live.ts'
import { may } from '../session.ts'
import { t, word } from '../text/index.ts'
import type { Dispatch, Performance, Program, Progress, ServicePoint } from '../types.ts'
import { Act, Await, D, Facts, Figure, State, Time } from '../part/basics.tsx'
import { Chart } from '../part/chart.tsx'
import { PrintButton } from '../part/print.tsx'
import { powerLines } from '../part/power-lines.ts'
import { directionOf, orderWords, window } from '../part/dispatch-words.tsx'
import { Table } from '../part/table.tsx'

export function Verification() {
  const list = useLoad(() => all<Dispatch>('/dispatches'), [], { every: 15_000, when: (m) => m.action.startsWith('dispatch') })
  return (
    <>
      <div class="row">
        <h1 class="grow">{t('verify.list')}</h1>
        <a class="button" href="#/baselines">
          {t('verify.compare')}
        </a>
      </div>
      <Await of={list}>
        {(rows) => (
          <Table<Dispatch>
            name="v"
            caption="verify.list"
            rows={rows.filter((d) => ['completed', 'verified', 'settled', 'active'].includes(d.state))}
            rowKey={(d) => d.id}
            empty="verify.none"
            sort="-start"
            search={(d) => `${d.programName} ${d.reason ?? ''}`}
            filters={[{ id: 'state', title: 'common.state', value: (d) => d.state }]}
            columns={[
              {
                id: 'start',
                title: 'new.start',
                value: (d) => d.start,
                cell: (d) => (
                  <a href={`#/verification/${d.id}`}>
                    <Time at={d.start} in={d.timeZone} />
                  </a>
                ),
              },
              { id: 'program', wide: true, title: 'new.program', value: (d) => d.programName, cell: (d) => d.programName },
              { id: 'power', title: 'dispatch.ordered', num: true, value: (d) => d.power_kW, cell: (d) => power(d.power_kW) },
              { id: 'state', title: 'common.state', value: (d) => d.state, cell: (d) => <State of={d.state} /> },
            ]}
          />
        )}
      </Await>
    </>
  )
}

/** Baseline, adjusted baseline and measured power of one event, and every day and reading behind them (UX-061, UX-062). */
export function VerificationPage({ id }: { id: string }) {
  const found = useLoad(
    async () => {
      const dispatch = await get<Dispatch>(`/dispatches/${id}`)
      const [p, program, points] = await Promise.all([
        get<Performance>(`/dispatches/${id}/performance`),
        get<Program>(`/programs/${dispatch.program}`),
        orNone(all<ServicePoint>('/service-points')),
      ])
      const progress = p.status === 'PENDING' ? undefined : await orNone(get<Progress>(`/dispatches/${id}/progress`))
      return { dispatch, p, program, progress, names: new Map(points?.map((x) => [x.id, x.name])) }
    },
    [id],
    { when: (m) => m.entity === id },
  )
  return <Await of={found}>{(f) => <Found {...f} reload={found.reload} />}</Await>
}

function Found({
  dispatch: d,
  p,
  program,
  progress,
  names,
  reload,
}: {
  dispatch: Dispatch
  p: Performance
  program: Program
  progress: Progress | undefined
  names: Map<string, string>
  reload: () => void
}) {
  const direction = directionOf(d, program.direction),
    b = p.baselineTrace
  const drawn = useMemo(() => (progress ? powerLines(progress, p, { unadjusted: true }) : undefined), [p, progress])
  const readings = (point: string): string =>
      `#/readings/${point}?from=${encodeURIComponent(new Date(Date.parse(d.start) - 3_600_000).toISOString())}&to=${encodeURIComponent(new Date(Date.parse(d.end) + 3_600_000).toISOString())}&start=${encodeURIComponent(d.start)}&end=${encodeURIComponent(d.end)}`
  const head = (
    <>
      <div class="row">
        <h1 class="grow">{t('verify.title', { order: orderWords(d.power_kW, direction) })}</h1>
        <PrintButton />
      </div>
      <p class="row">
        <State of={d.state} />
        <a href={`#/dispatches/${d.id}`} translate={false}>
          {window(d.start, d.end, d.timeZone)}
        </a>
        <D class="soft">{d.timeZone}</D>
        <D>{d.programName}</D>
      </p>
    </>
  )
  if (p.status === 'PENDING')
    return (
      <>
        {head}
        <p class="card empty">
          {t('verify.provisional')} <a href={`#/dispatches/${d.id}`}>{t('dispatch.one')}</a>
        </p>
      </>
    )
  const adjustment =
    b?.adjustment === null || b?.adjustment === undefined
      ? t('verify.noAdjustment')
      : t('verify.factor', { factor: plain(b.adjustment, 4) }) +
        (b.trace.adjustment.uncapped !== undefined && Math.abs(b.trace.adjustment.uncapped - b.adjustment) > 1e-9
          ? `, ${t('verify.capped', { uncapped: plain(b.trace.adjustment.uncapped, 4) })}`
          : '')
  return (
    <>
      {head}
      {p.status !== 'OK' && <p class="problem">{t('verify.unverified', { why: p.reasons.join('; ') })}</p>}
      <div class="cards">
        <Figure label="dispatch.baseline" value={energy(p.baseline_kWh)} />
        <Figure label="verify.metered" value={energy(p.metered_kWh)} />
        <Figure label="dispatch.delivered" value={energy(p.delivered_kWh)}>
          <p class="soft">{t('dispatch.ofOrder', { share: percent(p.performance) })}</p>
        </Figure>
        <Figure label="dispatch.ordered" value={energy(p.ordered_kWh)} />
      </div>
      {drawn && (
        <section class="card">
          <Chart label="verify.chart" {...drawn} zone={d.timeZone} band={{ from: Date.parse(d.start) / 1000, to: Date.parse(d.end) / 1000 }} />
          <p class="soft">{t('dispatch.eventBand')}</p>
        </section>
      )}
      <p class="card explain">
        {t(direction === 'up' ? 'verify.formulaUp' : 'verify.formula', {
          n: p.days.length,
          adjust: t(b?.adjustment === null || b?.adjustment === undefined ? 'verify.plainWords' : 'verify.adjustWords'),
        })}
      </p>
      <div class="columns">
        <section class="card">
          <Facts
            of={[
              [
                'verify.method',
                <a href={`#/baselines?program=${d.program}`} translate={false}>
                  {p.method} v{p.methodVersion}
                </a>,
              ],
              ['verify.level', <span>{t(p.level === 'point' ? 'program.level.point' : 'program.level.portfolio')}</span>],
              ['verify.adjustment', <span>{adjustment}</span>],
              ['verify.flags', listed(p.flags.map((f) => word('flag', f))) || '–'],
              (b?.trace.assumed.length ?? 0) > 0 && ['verify.assumed', listed(b!.trace.assumed.map((x) => word('assumed', x)))],
              ['verify.computed', <Time at={p.computedAt} />],
              ['verify.hash', p.inputHash],
            ]}
          />
          {may('admin', 'operator', 'settlement') && (
            <p>
              <Act
                label="verify.again"
                do={async () => {
                  await post(`/dispatches/${d.id}/verify`)
                  reload()
                }}
              />{' '}
              <span class="soft">{t('verify.againHelp')}</span>
            </p>
          )}
          {p.excludedPoints.length > 0 && (
            <>
              <h3>{t('verify.excluded')}</h3>
              <ul>
                {p.excludedPoints.map((x) => (
                  <li key={x}>
                    <a href={readings(x)} translate={false}>
                      {names.get(x) ?? x}
                    </a>
                  </li>
                ))}
              </ul>
            </>
          )}
        </section>
        <section class="card">
          <h2>{t('verify.days')}</h2>
          {b && (
            <Table
              name="day"
              caption="verify.days"
              step={15}
              rows={b.trace.considered}
              rowKey={(x) => x.day}
              empty="verify.none"
              filters={[{ id: 'verdict', title: 'verify.verdict', group: 'dayVerdict', value: (x) => x.reason }]}
              columns={[
                { id: 'day', title: 'verify.day', value: (x) => x.day, cell: (x) => x.day },
                {
                  id: 'verdict',
                  title: 'verify.verdict',
                  value: (x) => x.reason,
                  cell: (x) => (
                    <span class={x.verdict === 'kept' ? '' : 'soft'}>
                      <span aria-hidden="true">{x.verdict === 'kept' ? '✓ ' : '– '}</span>
                      {word('dayReason', x.reason)}
                    </span>
                  ),
                },
                { id: 'mean', title: 'verify.mean', num: true, value: (x) => x.mean_kW, cell: (x) => power(x.mean_kW) },
              ]}
            />
          )}
        </section>
      </div>
      <h2>{t('verify.points')}</h2>
      <Table
        name="pt"
        caption="verify.points"
        rows={p.points}
        rowKey={(x) => x.servicePoint}
        empty="verify.none"
        sort="delivered"
        search={(x) => names.get(x.servicePoint) ?? x.servicePoint}
        step={50}
        filters={[{ id: 'status', title: 'common.state', value: (x) => x.status }]}
        columns={[
          {
            id: 'point',
            title: 'device.point',
            value: (x) => names.get(x.servicePoint) ?? x.servicePoint,
            cell: (x) => (
              <a href={readings(x.servicePoint)} translate={false}>
                {names.get(x.servicePoint) ?? x.servicePoint}
              </a>
            ),
          },
          { id: 'status', title: 'common.state', value: (x) => x.status, cell: (x) => <State of={x.status} /> },
          { id: 'delivered', title: 'dispatch.delivered', num: true, value: (x) => x.delivered_kWh, cell: (x) => energy(x.delivered_kWh) },
          { id: 'reasons', title: 'common.reason', value: (x) => x.reasons.join('; '), cell: (x) => x.reasons.join('; ') },
        ]}
      />
    </>
  )
}
