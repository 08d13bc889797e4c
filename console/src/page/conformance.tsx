import { useState } from 'preact/hooks'
import { count } from '../format.ts'
import { t, word } from '../text/index.ts'
import { D, Facts, State, Time } from '../part/basics.tsx'
import { Table } from '../part/table.tsx'
import { Exchanges } from './conformance/exchanges.tsx'
import { Open } from './conformance/open.tsx'
import { beside, sums, type Report, type Row } from './conformance/report.ts'

/** Saved reports of `loadstone conformance run`, read in this page only; the newest stands beside the one before it (UX-035). */
export function Conformance() {
  const [reports, set] = useState<Report[]>([]),
    inTime = reports.toSorted((a, b) => a.startedAt.localeCompare(b.startedAt)),
    now = inTime.at(-1),
    before = inTime.at(-2)
  return (
    <>
      <h1>{t('conf.title')}</h1>
      <Open tell={(found) => set((had) => [...had.filter((h) => !found.some((f) => f.file === h.file)), ...found])} />
      <div class="row top" data-reports={reports.length}>
        {inTime.toReversed().map((r) => (
          <Summary key={r.file} of={r} close={() => set((had) => had.filter((h) => h !== r))} />
        ))}
      </div>
      {now && <Results key={now.file} rows={beside(now, before)} two={before !== undefined} />}
    </>
  )
}

const Summary = ({ of: r, close }: { of: Report; close: () => void }) => (
  <section class="card grow" data-report={r.file}>
    <div class="row">
      <h2 class="grow long" translate={false}>{r.file}</h2>
      <button type="button" class="small" onClick={close}>{t('conf.close')}</button>
    </div>
    <Facts of={[['conf.target', r.target], ['conf.profile', r.profile], ['conf.began', <Time at={r.startedAt} />], ['conf.seed', r.seed]]} />
    <p class="row">
      {sums(r).map(([v, n]) => (
        <span key={v} class="row" data-sum={v}>
          <State of={v} group="verdict" />
          <D>{count(n)}</D>
        </span>
      ))}
    </p>
  </section>
)

const Results = ({ rows, two }: { rows: Row[]; two: boolean }) => (
  <Table<Row>
    name="cf"
    caption="conf.results"
    rows={rows}
    rowKey={(r) => r.id}
    empty="conf.none"
    search={(r) => `${r.id} ${r.title} ${r.clause} ${r.requirements.join(' ')} ${r.detail}`}
    filters={[
      { id: 'verdict', title: 'conf.verdict', group: 'verdict', value: (r) => r.verdict },
      ...(two ? [{ id: 'change', title: 'conf.change', group: 'conf.change', value: (r: Row) => r.change } as const] : []),
    ]}
    detail={(r) => <Exchanges of={r} />}
    columns={[
      { id: 'id', title: 'conf.id', value: (r) => r.id, cell: (r) => r.id },
      { id: 'verdict', title: 'conf.verdict', value: (r) => r.verdict, cell: (r) => <State of={r.verdict} group="verdict" /> },
      ...(two
        ? ([
            { id: 'before', title: 'conf.before', value: (r: Row) => r.before, cell: (r: Row) => <State of={r.before} group="verdict" /> },
            { id: 'change', title: 'conf.change', value: (r: Row) => r.change, cell: (r: Row) => <span data-change={r.change}>{word('conf.change', r.change)}</span> },
          ] as const)
        : []),
      { id: 'title', title: 'conf.what', value: (r) => r.title, cell: (r) => r.title },
      { id: 'clause', wide: true, title: 'conf.clause', value: (r) => r.clause, cell: (r) => r.clause },
      { id: 'detail', wide: true, title: 'conf.detail', value: (r) => r.detail, cell: (r) => <D class="long">{r.detail.length > 140 ? `${r.detail.slice(0, 140)}…` : r.detail}</D> },
    ]}
  />
)
