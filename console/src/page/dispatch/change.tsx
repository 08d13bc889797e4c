import { useState } from 'preact/hooks'
import { post } from '../../api.ts'
import { fieldsOf, power } from '../../format.ts'
import { may, serverNow } from '../../session.ts'
import { t } from '../../text/index.ts'
import type { Dispatch } from '../../types.ts'
import { Act, Field, text } from '../../part/basics.tsx'
import { Dialog } from '../../part/dialog.tsx'

const changeable = new Set(['scheduled', 'notified', 'active'])

/** A moment as a field of local time in the program's zone wants it; the server resolves it there again. */
const localOf = (iso: string, zone: string): string => {
  const { day, time } = fieldsOf(Date.parse(iso), zone)
  return `${day}T${time}`
}

/** An order is restated as a whole: another power, start or end while it waits, a later end while it runs (CORE-051). */
export function Change({ d, reload }: { d: Dispatch; reload: () => void }) {
  const [open, setOpen] = useState(false)
  if (!may('admin', 'operator', 'dispatcher') || !changeable.has(d.state)) return null
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        {t('dispatch.change')}
      </button>
      {open && (
        <Dialog title={t('dispatch.change')} onClose={() => setOpen(false)}>
          <Restate
            d={d}
            close={() => setOpen(false)}
            done={() => {
              setOpen(false)
              reload()
            }}
          />
        </Dialog>
      )}
    </>
  )
}

function Restate({ d, close, done }: { d: Dispatch; close: () => void; done: () => void }) {
  const was = { power: String(d.power_kW), start: localOf(d.start, d.timeZone), end: localOf(d.end, d.timeZone) },
    [f, set] = useState({ ...was, reason: '' }),
    begun = Date.parse(d.start) <= serverNow(),
    same = f.power === was.power && f.start === was.start && f.end === was.end
  const restate = async (): Promise<void> => {
    const body = {
      ...(f.power === was.power ? {} : { power_kW: Number(f.power) }),
      ...(f.start === was.start ? {} : { start: f.start }),
      ...(f.end === was.end ? {} : { end: f.end }),
      ...(f.reason === '' ? {} : { reason: f.reason }),
    }
    await post(`/dispatches/${d.id}/revisions`, body, { 'if-match': `"${d.version}"` })
    done()
  }
  return (
    <form onSubmit={(e) => e.preventDefault()}>
      <p>{t(begun ? 'dispatch.changeHelpNow' : 'dispatch.changeHelp', { power: power(d.power_kW) })}</p>
      {!begun && (
        <Field label="new.power">
          <input name="change-power" type="number" step="any" required value={f.power} onInput={text((v) => set({ ...f, power: v }))} />
        </Field>
      )}
      <div class="form">
        {!begun && (
          <Field label="new.start">
            <input name="change-start" type="datetime-local" required value={f.start} onInput={text((v) => set({ ...f, start: v }))} />
          </Field>
        )}
        <Field label="new.end">
          <input name="change-end" type="datetime-local" required value={f.end} onInput={text((v) => set({ ...f, end: v }))} />
        </Field>
      </div>
      <p class="soft">{t('new.local', { zone: d.timeZone })}</p>
      <Field label="new.reason">
        <input name="change-reason" maxLength={2000} value={f.reason} onInput={text((v) => set({ ...f, reason: v }))} />
      </Field>
      <div class="row end">
        <button type="button" onClick={close}>
          {t('dispatch.unchanged')}
        </button>
        <Act type="submit" kind="primary" label="dispatch.change" disabled={same || f.power === '' || f.start === '' || f.end === ''} do={restate} />
      </div>
    </form>
  )
}
