import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { serverNow } from '../../session.ts'
import { t } from '../../text/index.ts'
import type { Program } from '../../types.ts'
import { Act, Field, text } from '../../part/basics.tsx'
import { purpose } from './list-file.ts'

const empty = { point: '', nominated: '', share: '', consent: false }

/** One service point. Consent is stored only when somebody ticks that it was given. */
export function Invite({ program, free, reload }: { program: Program; free: readonly string[]; reload: () => void }) {
  const [f, set] = useState(empty)
  const invite = async (): Promise<void> => {
    await post('/enrolments', {
      program: program.id,
      servicePoint: f.point,
      ...(f.nominated ? { nominated_kW: Number(f.nominated) } : {}),
      ...(f.share ? { share: f.share } : {}),
      ...(f.consent ? { consent: { purpose, grantedAt: new Date(serverNow()).toISOString() } } : {}),
    })
    set(empty)
    reload()
  }
  return (
    <form class="card" data-invite onSubmit={(e) => e.preventDefault()}>
      <h3>{t('enrol.invite')}</h3>
      <Field label="enrol.point">
        <input name="point" list="points" value={f.point} onInput={text((v) => set({ ...f, point: v }))} />
      </Field>
      <datalist id="points">
        {free.slice(0, 200).map((n) => (
          <option key={n} value={n} />
        ))}
      </datalist>
      <div class="form">
        <Field label="enrol.nominated">
          <input name="nominated" type="number" min="0" step="any" value={f.nominated} onInput={text((v) => set({ ...f, nominated: v }))} />
        </Field>
        <Field label="program.share">
          <input name="share" inputMode="decimal" placeholder={program.customerShare} value={f.share} onInput={text((v) => set({ ...f, share: v }))} />
        </Field>
      </div>
      <label class="check">
        <input name="consent" type="checkbox" checked={f.consent} onChange={(e) => set({ ...f, consent: e.currentTarget.checked })} /> {t('enrol.consent')}
      </label>
      <p class="soft">{t('enrol.consentHelp')}</p>
      <Act label="enrol.do" type="submit" kind="primary" disabled={f.point === ''} do={invite} />
    </form>
  )
}
