import { useState } from 'preact/hooks'
import { call, get, orNone, post } from '../../api.ts'
import { count } from '../../format.ts'
import { useLoad } from '../../live.ts'
import { may } from '../../session.ts'
import { t } from '../../text/index.ts'
import { Act, download, Field, text, Time } from '../../part/basics.tsx'

interface Capture {
  since: string
  until: string
  by: string
  running: boolean
  dropped: number
  items: { at: string; direction: 'in' | 'out'; text: string }[]
}

/** Every frame of this device for some minutes, then a file (UX-077). */
export function CaptureFrames({ device, name }: { device: string; name: string }) {
  const [minutes, set] = useState('10'), kept = useLoad(() => orNone(get<Capture>(`/devices/${device}/capture`)), [device], { every: 5000 }), c = kept.data
  if (!may('admin', 'operator', 'dispatcher')) return null
  return (
    <section class="card" data-capture={c ? c.items.length : ''}>
      <h2>{t('capture.title')}</h2>
      {c ? (
        <>
          <p role="status">
            {t(c.running ? 'capture.running' : 'capture.over', { n: count(c.items.length), by: c.by })} <Time at={c.until} style="second" />
          </p>
          {c.dropped > 0 && <p class="problem">{t('capture.dropped', { n: count(c.dropped) })}</p>}
          <div class="row">
            <button type="button" disabled={c.items.length === 0} onClick={() => download(`${name}-capture.jsonl`, 'application/x-ndjson', c.items.map((f) => JSON.stringify(f)).join('\n'))}>
              {t('common.download')}
            </button>
            <Act label="capture.end" do={async () => { await call('DELETE', `/devices/${device}/capture`); kept.reload() }} />
          </div>
        </>
      ) : (
        <>
          <p class="soft">{t('capture.help')}</p>
          <div class="row">
            <Field label="capture.minutes">
              <input name="capture-minutes" type="number" min="1" max="60" value={minutes} onInput={text(set)} />
            </Field>
            <Act label="capture.begin" disabled={!(Number(minutes) >= 1 && Number(minutes) <= 60)} do={async () => { await post(`/devices/${device}/capture`, { minutes: Number(minutes) }); kept.reload() }} />
          </div>
        </>
      )}
    </section>
  )
}
