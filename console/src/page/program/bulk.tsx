import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { count } from '../../format.ts'
import { serverNow } from '../../session.ts'
import { t } from '../../text/index.ts'
import { Act, download, Field, text } from '../../part/basics.tsx'
import { csvText, textOf } from '../../part/csv.ts'
import { type BulkAnswer, Results, type RowResult } from './bulk-result.tsx'
import { bulkBody, type ListFile, readList, sample } from './list-file.ts'
import { road } from './steps.ts'

interface Look {
  /** What was chosen when it was checked: another choice needs another check. */
  readonly of: string
  readonly answer: BulkAnswer
  /** One for what was checked: sent again after a lost answer, nothing is enrolled twice. */
  readonly key: string
  readonly body: { readonly rows: readonly object[] }
}

/** Rows that go at once, so that it can be told how far it is. */
const part = 5000

/** Each part under its own key: after a lost connection the same click goes on where it stopped. */
async function enrolAll({ body: { rows }, key }: Look, tell: (done: number) => void): Promise<BulkAnswer> {
  const items: RowResult[] = []
  let refused = 0
  for (let at = 0; at < rows.length; at += part) {
    tell(at)
    const answer = await post<BulkAnswer>('/enrolments/bulk', { rows: rows.slice(at, at + part) }, { 'idempotency-key': `${key}/${at}` })
    items.push(...answer.items.map((r) => ({ ...r, row: r.row + at })))
    refused += answer.refused
  }
  return { rows: rows.length, refused, items }
}

/** A list of service points: read here, checked by the server without storing anything, then enrolled; every row has its own result (CORE-025). */
export function Bulk({ program, reload, hold }: { program: { id: string; name: string }; reload: () => void; hold: (on: boolean) => void }) {
  const [file, setFile] = useState<ListFile>(),
    [all, setAll] = useState({ to: 'applied', consent: false }),
    [look, setLook] = useState<Look>(),
    [done, setDone] = useState<BulkAnswer>(),
    [going, tell] = useState<number>()
  const now = JSON.stringify(all),
    checked = look?.of === now ? look : undefined,
    good = look ? look.answer.rows - look.answer.refused : 0
  const choose = async (chosen: File | undefined): Promise<void> => {
    setFile(chosen && readList(chosen.name, await textOf(chosen), program))
    setLook(undefined)
    setDone(undefined)
  }
  const check = async (): Promise<void> => {
    const body = bulkBody(program.id, file!.rows, { to: all.to, consentAt: all.consent ? new Date(serverNow()).toISOString() : null })
    setDone(undefined)
    setLook({ of: now, answer: await post<BulkAnswer>('/enrolments/bulk?dryRun=true', body), key: crypto.randomUUID(), body })
  }
  const enrol = async (): Promise<void> => {
    hold(true)
    try {
      setDone(await enrolAll(look!, tell))
    } finally {
      tell(undefined)
      hold(false)
      reload()
    }
  }
  const shown = done ?? look?.answer
  return (
    <form class="card" data-bulk onSubmit={(e) => e.preventDefault()}>
      <h3>{t('enrol.bulk')}</h3>
      <Field label="enrol.file" help={t('enrol.bulkHelp')}>
        <input name="list" type="file" disabled={going !== undefined} accept=".csv,.tsv,.txt,text/csv" onChange={(e) => void choose(e.currentTarget.files?.[0])} />
      </Field>
      {!file && (
        <button type="button" class="small" onClick={() => download('enrolment.csv', 'text/csv', csvText(sample))}>
          {t('enrol.sample')}
        </button>
      )}
      {file && file.faults.length > 0 && (
        <ul class="problem" role="alert">
          {file.faults.slice(0, 20).map((f) => (
            <li key={f}>{f}</li>
          ))}
        </ul>
      )}
      {file && file.faults.length === 0 && (
        <>
          <p role="status">{t('enrol.read', { n: count(file.rows.length), name: file.name })}</p>
          <Choice all={all} set={setAll} disabled={going !== undefined} />
          <div class="row">
            <Act label="enrol.check" kind={checked ? (undefined as never) : 'primary'} disabled={done !== undefined} do={check} />
            {look && good > 0 && <Act label="enrol.upload" values={{ n: count(good) }} kind="primary" disabled={!checked || done !== undefined} do={enrol} />}
          </div>
          {going !== undefined && (
            <p role="status">
              <progress value={going} max={file.rows.length} aria-label={t('enrol.rowsTitle')} /> {t('enrol.going', { n: count(going), total: count(file.rows.length) })}
            </p>
          )}
          {look && !checked && !done && <p role="status">{t('enrol.checkAgain')}</p>}
          {shown && (checked || done) && <Results file={file} answer={shown} stored={done !== undefined} />}
        </>
      )}
    </form>
  )
}

/** What holds for every row that does not say it itself. Consent is never assumed: somebody has to say it. */
function Choice({ all, set, disabled }: { all: { to: string; consent: boolean }; set: (all: { to: string; consent: boolean }) => void; disabled: boolean }) {
  return (
    <>
      <Field label="enrol.to" help={t(`enrol.means.${all.to as (typeof road)[number]}`)}>
        <select name="to" disabled={disabled} value={all.to} onChange={text((to) => set({ ...all, to }))}>
          {road.map((s) => (
            <option key={s} value={s}>
              {t(`state.${s}`)}
            </option>
          ))}
        </select>
      </Field>
      <label class="check">
        <input name="list-consent" type="checkbox" disabled={disabled} checked={all.consent} onChange={(e) => set({ ...all, consent: e.currentTarget.checked })} /> {t('enrol.consentList')}
      </label>
      <p class="soft">{t('enrol.consentListHelp')}</p>
    </>
  )
}
