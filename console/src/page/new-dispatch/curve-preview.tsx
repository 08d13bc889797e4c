import { count, power } from '../../format.ts'
import { t, word } from '../../text/index.ts'
import { type Program, protocols } from '../../types.ts'
import { D, Time } from '../../part/basics.tsx'
import { Chart } from '../../part/chart.tsx'
import type { Look } from './curve-order.ts'
import { Preview } from './preview.tsx'

/** What each step would place, as a picture and as rows; below it the highest step, device by device. */
export function CurvePreview({ looks, program }: { looks: readonly Look[]; program: Program }) {
  const known = looks.flatMap((l) => (l.answer ? [l.answer] : [])),
    highest = known.reduce((a, b) => (Math.abs(b.power_kW) > Math.abs(a.power_kW) ? b : a), known[0]!),
    perDay = program.limits.maxEventsPerDay as number | undefined
  const times: number[] = [],
    ordered: number[] = [],
    placed: number[] = []
  for (const d of known) {
    const start = Date.parse(d.start) / 1000,
      end = Date.parse(d.end) / 1000
    // between two steps nothing is asked: each ends in a zero, unless the next begins there
    if (times.at(-1) === start) [times, ordered, placed].forEach((x) => x.pop())
    times.push(start, end)
    ordered.push(d.power_kW, 0)
    placed.push(Math.sign(d.power_kW) * d.allocated_kW, 0)
  }
  return (
    <>
      <section class="card" aria-live="polite" data-curve-preview={known.map((d) => d.allocated_kW).join(',')}>
        <h2>{t('curve.preview', { n: count(looks.length) })}</h2>
        <p class="soft">{t('new.nothingSent')}</p>
        <p>{t('curve.calls', { n: count(looks.length) })}</p>
        {perDay !== undefined && looks.length > perDay && <p class="problem">{t('curve.tooMany', { n: count(perDay) })}</p>}
        {times.length > 1 && (
          <Chart
            label="curve.title"
            times={times}
            end={times.at(-1)!}
            zone={program.timeZone}
            height={220}
            lines={[
              { key: 'dispatch.ordered', values: ordered, colour: '--c-target', width: 2 },
              { key: 'dispatch.placed', values: placed, colour: '--c-actual', dash: [6, 4] },
            ]}
          />
        )}
        <div class="scroll" tabIndex={0} role="region" aria-label={t('curve.steps')}>
          <table data-curve-steps>
            <caption class="hide">{t('curve.steps')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('curve.when', { zone: program.timeZone })}</th>
                <th scope="col" class="num">
                  {t('dispatch.ordered')}
                </th>
                <th scope="col" class="num">
                  {t('dispatch.placed')}
                </th>
                <th scope="col" class="num">
                  {t('device.list')}
                </th>
                {protocols.map((p) => (
                  <th key={p} scope="col" class="num">
                    {word('protocol', p)}
                  </th>
                ))}
                <th scope="col">{t('new.warnings')}</th>
              </tr>
            </thead>
            <tbody>
              {looks.map(({ step, answer: d, refused }) => (
                <tr key={step.start}>
                  <td translate={false}>
                    {d ? <Time at={d.start} in={d.timeZone} style="time" /> : step.start.slice(11)}–{step.end.slice(11)}
                  </td>
                  <td class="num" translate={false}>
                    {power(step.kW)}
                  </td>
                  <td class="num" translate={false}>
                    {power(d?.allocated_kW)}
                  </td>
                  <td class="num" translate={false}>
                    {count(d?.allocation.byResource.length)}
                  </td>
                  {protocols.map((p) => (
                    <td key={p} class="num" translate={false}>
                      {power(d?.allocation.byProtocol[p])}
                    </td>
                  ))}
                  <td>
                    {refused && (
                      <strong>
                        {t('curve.refused')} <D>{refused.problem.checks!.map((c) => `${c.check}: ${c.detail}`).join(' · ')}</D>
                      </strong>
                    )}
                    {d && (d.warnings.length > 0 ? <D>{d.warnings.join(' · ')}</D> : d.shortfall_kW > 0 ? t('dispatch.notPlaced', { power: power(d.shortfall_kW) }) : '')}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      {highest && <Preview d={highest} program={program} title="curve.highest" />}
    </>
  )
}
