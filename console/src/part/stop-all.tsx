import { useState } from 'preact/hooks'
import { orNone, post, get, type List } from '../api.ts'
import { useLoad } from '../live.ts'
import { may, zone } from '../session.ts'
import { when } from '../format.ts'
import { t } from '../text/index.ts'
import { Act, Field, text } from './basics.tsx'
import { Dialog } from './dialog.tsx'

interface Stop {
  id: string
  scope: string
  reason: string
  by: string
  at: string
  active: boolean
}

/** The emergency stop, two actions away on every page: open, type the word and press. */
export function StopAll() {
  const [open, setOpen] = useState(false),
    [typed, setTyped] = useState(''),
    [reason, setReason] = useState(''),
    [done, setDone] = useState<number>()
  if (!may('admin', 'operator', 'dispatcher', 'dso')) return null
  const close = (): void => {
    setOpen(false)
    setTyped('')
    setReason('')
    setDone(undefined)
  }
  const sure = typed.trim().toUpperCase() === 'STOP'
  const stop = async (): Promise<void> => {
    const answer = await post<{ devices: readonly unknown[] | number }>('/stop', { scope: 'all', ...(reason ? { reason } : {}) })
    setDone(typeof answer.devices === 'number' ? answer.devices : (answer.devices?.length ?? 0))
  }
  return (
    <>
      <button type="button" class="danger" onClick={() => setOpen(true)}>
        {t('stop.open')}
      </button>
      {open && (
        <Dialog title={t('stop.title')} onClose={close}>
          {done === undefined ? (
            <form
              onSubmit={(e) => {
                e.preventDefault()
              }}
            >
              <p>{t('stop.explain')}</p>
              <Field label="stop.type" values={{ word: 'STOP' }}>
                <input name="stop-word" autocomplete="off" autofocus value={typed} onInput={text(setTyped)} />
              </Field>
              <Field label="stop.reason">
                <input name="stop-reason" value={reason} onInput={text(setReason)} />
              </Field>
              <div class="row end">
                <button type="button" onClick={close}>
                  {t('common.close')}
                </button>
                <Act do={stop} type="submit" kind="danger" label="stop.do" disabled={!sure} />
              </div>
            </form>
          ) : (
            <>
              <p role="status">{t('stop.done', { n: done })}</p>
              <div class="row end">
                <button type="button" onClick={close}>
                  {t('common.close')}
                </button>
              </div>
            </>
          )}
        </Dialog>
      )}
    </>
  )
}

export function StopBanner() {
  const stops = useLoad(() => orNone(get<List<Stop>>('/stop')), [], { every: 15_000, when: (m) => m.action.startsWith('stop') })
  const active = stops.data?.items.find((s) => s.active && s.scope === 'all')
  if (!active) return null
  return (
    <div class="banner stop row" role="alert">
      <span class="grow">{t('stop.active', { at: when(active.at, zone()), by: active.by, reason: active.reason })}</span>
      {may('admin', 'operator', 'dispatcher') && (
        <Act
          label="stop.lift"
          do={async () => {
            await post(`/stop/${active.id}/lift`)
            stops.reload()
          }}
        />
      )}
    </div>
  )
}
