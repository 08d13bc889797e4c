import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { fieldsOf } from '../../format.ts'
import { go } from '../../route.ts'
import { serverNow } from '../../session.ts'
import { t } from '../../text/index.ts'
import type { Program, Run } from '../../types.ts'
import { Act, Field, text } from '../../part/basics.tsx'

/** The server's period ends where the next one begins. */
const dayAfter = (day: string): string => new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10)

export function NewRun({ programs }: { programs: Program[] }) {
  const today = fieldsOf(serverNow(), programs[0]!.timeZone).day,
    [f, set] = useState({
      program: programs[0]!.id,
      from: `${today.slice(0, 7)}-01`,
      last: new Date(Date.UTC(Number(today.slice(0, 4)), Number(today.slice(5, 7)), 0)).toISOString().slice(0, 10),
      reason: '',
    })
  const make = async (): Promise<void> => {
    const r = await post<Run>('/settlement-runs', {
      program: f.program,
      from: `${f.from}T00:00`,
      to: `${dayAfter(f.last)}T00:00`,
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
          <Field label="settle.firstDay">
            <input name="from" type="date" value={f.from} onInput={text((v) => set({ ...f, from: v }))} />
          </Field>
          <Field label="settle.lastDay">
            <input name="last" type="date" value={f.last} onInput={text((v) => set({ ...f, last: v }))} />
          </Field>
          <Field label="common.reason">
            <input name="reason" value={f.reason} onInput={text((v) => set({ ...f, reason: v }))} />
          </Field>
        </div>
        <Act label="settle.do" type="submit" kind="primary" disabled={f.from === '' || f.last === ''} do={make} />
      </form>
    </details>
  )
}
