import { count, power } from '../../format.ts'
import { t, word } from '../../text/index.ts'
import { download, State } from '../../part/basics.tsx'
import { csvText } from '../../part/csv.ts'
import { Table } from '../../part/table.tsx'
import { type ListFile, type ListRow, whyColumn } from './list-file.ts'

export interface RowResult {
  readonly row: number
  readonly state: string
  readonly reasons?: readonly { readonly path: string; readonly reason: string }[]
}
export interface BulkAnswer {
  readonly rows: number
  readonly refused: number
  readonly items: readonly RowResult[]
}
type Line = ListRow & { readonly state: string; readonly why: string }

const whyOf = (r: RowResult): string => (r.reasons ?? []).map(({ path, reason }) => (path ? `${word('rule', path)}: ${reason}` : reason)).join('; ')

/** Every row with what became of it, the refused ones first; the API counts rows from 1, the file has a header before them. */
export function Results({ file, answer, stored }: { file: ListFile; answer: BulkAnswer; stored: boolean }) {
  const lines: Line[] = answer.items.map((r) => ({ ...file.rows[r.row - 1]!, state: r.state, why: whyOf(r) })),
    refused = lines.filter((l) => l.state === 'refused'),
    sum = { good: count(answer.rows - answer.refused), bad: count(answer.refused) }
  const save = (): void => download('refused.csv', 'text/csv', csvText([[...kept(file.header), whyColumn], ...refused.map((l) => [...kept(file.header, l.cells), l.why])]))
  return (
    <>
      <p role="status" data-bulk-sum={`${answer.rows - answer.refused},${answer.refused}`}>
        <strong>{t(stored ? 'enrol.done' : 'enrol.would', sum)}</strong>
      </p>
      {answer.refused === answer.rows && <p>{t('enrol.nothingGood')}</p>}
      {refused.length > 0 && (
        <button type="button" class="small" onClick={save}>
          {t('enrol.refusedFile')}
        </button>
      )}
      <Table<Line>
        name="list"
        caption="enrol.rowsTitle"
        rows={[...refused, ...lines.filter((l) => l.state !== 'refused')]}
        rowKey={(l) => String(l.line)}
        empty="list.empty"
        filters={[{ id: 'state', title: 'enrol.result', value: (l) => l.state }]}
        columns={[
          { id: 'line', title: 'enrol.line', num: true, value: (l) => l.line, cell: (l) => count(l.line) },
          { id: 'point', title: 'enrol.point', value: (l) => l.wish.servicePoint, cell: (l) => l.wish.servicePoint },
          {
            id: 'nominated',
            wide: true,
            title: 'enrol.nominated',
            num: true,
            value: (l) => l.wish.nominated_kW,
            cell: (l) => (typeof l.wish.nominated_kW === 'string' ? l.wish.nominated_kW : power(l.wish.nominated_kW)),
          },
          { id: 'state', title: 'enrol.result', value: (l) => l.state, cell: (l) => <State of={l.state} /> },
          { id: 'why', title: 'enrol.why', value: (l) => l.why, cell: (l) => l.why },
        ]}
      />
    </>
  )
}

/** Without a column of reasons that the file had from the last time. */
const kept = (header: readonly string[], cells: readonly string[] = header): readonly string[] => header.flatMap((h, i) => (h.toLowerCase() === whyColumn ? [] : [cells[i] ?? '']))
