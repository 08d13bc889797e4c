import { useState } from 'preact/hooks'
import { count } from '../format.ts'
import { t } from '../text/index.ts'
import { D, Facts, Field, State } from '../part/basics.tsx'
import { Table } from '../part/table.tsx'

interface Report {
  target: string
  profile: string
  seed: number
  summary: Record<string, number>
  results: { id: string; clause: string; verdict: string; detail: string }[]
}

/** A saved report of `loadstone conformance run`, read in this page only. */
export function Conformance() {
  const [report, set] = useState<Report>(),
    [bad, setBad] = useState(false)
  const open = async (file: File | undefined): Promise<void> => {
    if (!file) return
    try {
      const found = JSON.parse(await file.text()) as Report
      setBad(!Array.isArray(found.results))
      if (Array.isArray(found.results)) set(found)
    } catch {
      setBad(true)
    }
  }
  return (
    <>
      <h1>{t('conf.title')}</h1>
      <section class="card">
        <Field label="conf.file" help={t('conf.help')}>
          <input type="file" accept=".json,application/json" onChange={(e) => void open(e.currentTarget.files?.[0])} />
        </Field>
        {bad && (
          <p class="problem" role="alert">
            {t('conf.bad')}
          </p>
        )}
      </section>
      {report && (
        <>
          <section class="card">
            <Facts
              of={[
                ['conf.target', report.target],
                ['conf.profile', report.profile],
              ]}
            />
            <p class="row">
              {Object.entries(report.summary ?? {}).map(([v, n]) => (
                <span key={v} class="row">
                  <State of={v} group="verdict" />
                  <D>{count(n)}</D>
                </span>
              ))}
            </p>
          </section>
          <Table
            name="cf"
            caption="conf.results"
            rows={report.results}
            rowKey={(r) => r.id}
            empty="conf.none"
            search={(r) => `${r.id} ${r.clause} ${r.detail}`}
            filters={[{ id: 'verdict', title: 'conf.verdict', group: 'verdict', value: (r) => r.verdict }]}
            columns={[
              { id: 'id', title: 'conf.id', value: (r) => r.id, cell: (r) => r.id },
              { id: 'verdict', title: 'conf.verdict', value: (r) => r.verdict, cell: (r) => <State of={r.verdict} group="verdict" /> },
              { id: 'clause', title: 'conf.clause', value: (r) => r.clause, cell: (r) => r.clause },
              { id: 'detail', title: 'conf.detail', value: (r) => r.detail, cell: (r) => r.detail },
            ]}
          />
        </>
      )}
    </>
  )
}
