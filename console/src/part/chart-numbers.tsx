import { useState } from 'preact/hooks'
import { plain, utc, when } from '../format.ts'
import { t } from '../text/index.ts'
import { download } from './basics.tsx'
import { chartPng, chartSvg } from './chart-svg.ts'
import type { ChartProps } from './chart.tsx'

/** Start in UTC, then a column for each line: what a spreadsheet or a script wants. */
const csv = ({ times, lines }: ChartProps): string =>
  [['start_utc', ...lines.map((l) => `${l.key.split('.').at(-1)}_kW`)], ...times.map((s, i) => [new Date(s * 1000).toISOString(), ...lines.map((l) => l.values[i] ?? '')])].map((row) => row.join(',')).join('\r\n')

/** The numbers beside the picture, and both as files (UX-061). */
export function Numbers(props: ChartProps) {
  const [open, setOpen] = useState(false),
    { times, lines, label, zone } = props,
    name = `${label.replace('.', '-')}-${new Date((times[0] ?? 0) * 1000).toISOString().slice(0, 10)}`
  return (
    <>
      <div class="row tools noprint" role="group" aria-label={t('chart.files')}>
        <button type="button" class="small" onClick={() => download(`${name}.svg`, 'image/svg+xml', chartSvg(props))}>{t('chart.svg')}</button>
        <button type="button" class="small" onClick={() => void chartPng(chartSvg(props)).then((blob) => download(`${name}.png`, 'image/png', blob))}>{t('chart.png')}</button>
        <button type="button" class="small" onClick={() => download(`${name}.csv`, 'text/csv', csv(props))}>{t('chart.csv')}</button>
      </div>
      {/* thousands of rows are made only for who looks */}
      <details onToggle={(e) => setOpen(e.currentTarget.open)}>
        <summary>{t('common.table')}</summary>
        {open && <div class="scroll" tabIndex={0} role="region" aria-label={t(label)}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('chart.start', { zone })}</th>
                {lines.map((l) => <th key={l.key} scope="col" class="num">{t(l.key)} ({t('dispatch.kW')})</th>)}
              </tr>
            </thead>
            <tbody translate={false}>
              {times.map((s, i) => (
                <tr key={s}>
                  <td title={utc(s * 1000)}>{when(s * 1000, zone)}</td>
                  {lines.map((l) => <td key={l.key} class="num">{plain(l.values[i], 3)}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>}
      </details>
    </>
  )
}
