import { power } from '../../format.ts'
import { t, word } from '../../text/index.ts'
import type { DayTrace, Performance } from '../../types.ts'
import { Table } from '../../part/table.tsx'

const Verdict = ({ of }: { of: DayTrace }) => (
  <span class={of.verdict === 'kept' ? '' : 'soft'}>
    <span aria-hidden="true">{of.verdict === 'kept' ? '✓ ' : '– '}</span>
    {word('dayReason', of.reason)}
  </span>
)

/** Every day that the method looked at: used, or dropped and why (UX-062). */
export const Days = ({ of }: { of: Performance['baselineTrace'] }) => (
  <section class="card">
    <h2>{t('verify.days')}</h2>
    {of && (
      <Table
        name="day"
        caption="verify.days"
        step={15}
        rows={of.trace.considered}
        rowKey={(x) => x.day}
        empty="verify.none"
        filters={[{ id: 'verdict', title: 'verify.verdict', group: 'dayVerdict', value: (x) => x.reason }]}
        columns={[
          { id: 'day', title: 'verify.day', value: (x) => x.day, cell: (x) => x.day },
          { id: 'verdict', title: 'verify.verdict', value: (x) => x.reason, cell: (x) => <Verdict of={x} /> },
          { id: 'mean', title: 'verify.mean', num: true, value: (x) => x.mean_kW, cell: (x) => power(x.mean_kW) },
        ]}
      />
    )}
  </section>
)
