import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { fieldsOf } from '../../format.ts'
import { go } from '../../route.ts'
import { serverNow } from '../../session.ts'
import { t } from '../../text/index.ts'
import type { Program, Run } from '../../types.ts'
import { Act, Field, text } from '../../part/basics.tsx'

export function NewRun({ programs }: { programs: Program[] }) {
  const today = fieldsOf(serverNow(), programs[0]!.timeZone).day,
    [f, set] = useState({
      program: programs[0]!.id,
      from: `${today.slice(0, 7)}-01`,
      to: new Date(Date.UTC(Number(today.slice(0, 4)), Number(today.slice(5, 7)), 1)).toISOString().slice(0, 10),
      reason: '',
    })
  const make = async (): Promise<void> => {
    const r = await post<Run>('/settlement-runs', {
      program: f.program,
      from: `${f.from}T00:00`,
      to: `${f.to}T00:00`,
      ...(f.reason ? { reason: f.reason } : {}),
    })
    go(`/settlement/${r.id}`)
  }
  return (
    <details class="card">
      <summary>{t('settle.new')}</summary>
      <form onSubmit={(e) => e.preventDefault()}>
        <div class="form">
          <Field label="new.program">
            <select name="program" value={f.program} onChange={text((v) => set({ ...f, program: v }))}>
              {programs.map((p) => (
                <option key={p.id} value={p.id} translate={false}>
                  {p.name}
                </option>
              ))}
            </select>
          </Field>
          <Field label="common.from">
            <input name="from" type="date" value={f.from} onInput={text((v) => set({ ...f, from: v }))} />
          </Field>
          <Field label="common.to">
            <input name="to" type="date" value={f.to} onInput={text((v) => set({ ...f, to: v }))} />
          </Field>
          <Field label="common.reason">
            <input name="reason" value={f.reason} onInput={text((v) => set({ ...f, reason: v }))} />
          </Field>
        </div>
        <Act label="settle.do" type="submit" kind="primary" do={make} />
      </form>
    </details>
  )
}
