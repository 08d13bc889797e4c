import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { when } from '../../format.ts'
import { go } from '../../route.ts'
import { zone } from '../../session.ts'
import { t } from '../../text/index.ts'
import type { Dispatch, Statement } from '../../types.ts'
import { Act, Field, text } from '../../part/basics.tsx'

export function OpenDispute({ s, dispatches, zone: z }: { s: Statement; dispatches: Map<string, Dispatch>; zone: string }) {
  const [f, set] = useState({ line: '', reason: '', party: '', evidence: '' })
  const open = async (): Promise<void> => {
    const d = await post<{ id: string }>('/disputes', {
      statement: s.id,
      reason: f.reason,
      ...(f.line ? { line: f.line } : {}),
      ...(f.party ? { party: f.party } : {}),
      ...(f.evidence ? { evidence: f.evidence.split('\n').filter((x) => x.trim() !== '') } : {}),
    })
    go(`/disputes/${d.id}`)
  }
  return (
    <details class="card noprint">
      <summary>{t('statement.dispute')}</summary>
      <form onSubmit={(e) => e.preventDefault()}>
        <div class="form">
          <Field label="dispute.line">
            <select name="line" value={f.line} onChange={text((v) => set({ ...f, line: v }))}>
              <option value="">{t('dispute.whole')}</option>
              {s.body.lines.map((l) => (
                <option key={l.dispatch} value={l.dispatch} translate={false}>
                  {when(dispatches.get(l.dispatch)?.start, z)}
                </option>
              ))}
            </select>
          </Field>
          <Field label="dispute.party">
            <input name="party" value={f.party} onInput={text((v) => set({ ...f, party: v }))} />
          </Field>
        </div>
        <Field label="dispute.reason">
          <textarea name="reason" rows={2} value={f.reason} onInput={text((v) => set({ ...f, reason: v }))} />
        </Field>
        <Field label="dispute.evidence">
          <textarea name="evidence" rows={2} value={f.evidence} onInput={text((v) => set({ ...f, evidence: v }))} />
        </Field>
        <Act label="dispute.open" type="submit" kind="primary" disabled={f.reason.trim() === ''} do={open} />
      </form>
    </details>
  )
}
