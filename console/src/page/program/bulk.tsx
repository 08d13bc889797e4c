import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { t } from '../../text/index.ts'
import { Act, D, Field, text } from '../../part/basics.tsx'

export const bodyOf = (program: string, r: { servicePoint: string; nominated_kW?: string; share?: string }, consent: boolean): object => ({
  program,
  servicePoint: r.servicePoint,
  ...(r.nominated_kW ? { nominated_kW: Number(r.nominated_kW) } : {}),
  ...(r.share ? { share: r.share } : {}),
  ...(consent ? { consent: { purpose: 'demand-response', grantedAt: new Date().toISOString() } } : {}),
})

interface Row {
  servicePoint: string
  nominated_kW?: string
  share?: string
}

/** A list of service points; each row is tried by itself, and what came of it stands beside it. */
export function Bulk({ program, reload }: { program: string; reload: () => void }) {
  const [rows, setRows] = useState<Row[]>([]),
    [results, setResults] = useState<(string | true)[]>([])
  const read = async (file: File | undefined): Promise<void> => {
    if (!file) return
    const [header = '', ...lines] = (await file.text())
        .replace(/^\uFEFF/, '')
        .split(/\r?\n/)
        .filter((l) => l.trim() !== ''),
      names = header.split(',').map((h) => h.trim())
    setRows(lines.map((l) => Object.fromEntries(l.split(',').map((c, i) => [names[i] ?? '', c.trim()])) as unknown as Row))
    setResults([])
  }
  const upload = async (): Promise<void> => {
    const out: (string | true)[] = []
    for (const r of rows) {
      out.push(
        await post('/enrolments', bodyOf(program, r, true)).then(
          () => true as const,
          (error: Error) => error.message,
        ),
      )
      setResults([...out])
    }
    reload()
  }
  return (
    <form class="card" onSubmit={(e) => e.preventDefault()}>
      <h3>{t('enrol.bulk')}</h3>
      <Field label="enrol.bulk" help={t('enrol.bulkHelp')}>
        <input name="list" type="file" accept=".csv,text/csv" onChange={(e) => void read(e.currentTarget.files?.[0])} />
      </Field>
      {rows.length > 0 && (
        <>
          <Act label="enrol.upload" values={{ n: rows.length }} kind="primary" disabled={results.length > 0} do={upload} />
          <div class="scroll" tabIndex={0} role="region" aria-label={t('enrol.bulk')}>
            <table>
              <thead>
                <tr>
                  <th scope="col" class="num">
                    {t('enrol.row')}
                  </th>
                  <th scope="col">{t('enrol.point')}</th>
                  <th scope="col">{t('enrol.result')}</th>
                </tr>
              </thead>
              <tbody>
                {rows.slice(0, 1000).map((r, i) => (
                  <tr key={i}>
                    <td class="num" translate={false}>
                      {i + 1}
                    </td>
                    <td translate={false}>{r.servicePoint}</td>
                    <td>{results[i] === true ? t('enrol.ok') : <D>{results[i] ?? ''}</D>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </form>
  )
}
