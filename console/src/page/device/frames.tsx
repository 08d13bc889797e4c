import { useState } from 'preact/hooks'
import { t } from '../../text/index.ts'
import { D, download, text, Time } from '../../part/basics.tsx'
import type { Frame } from './everything.ts'

export function Frames({ of, name }: { of: Frame[]; name: string }) {
  const [filter, set] = useState(''),
    shown = of.filter((f) => f.text.toLowerCase().includes(filter.toLowerCase()))
  return (
    <section class="card">
      <h2>{t('device.frames')}</h2>
      {of.length === 0 ? (
        <p>{t('device.noFrames')}</p>
      ) : (
        <>
          <div class="row tools">
            <label class="inline">
              {t('device.filterFrames')} <input type="search" value={filter} onInput={text(set)} />
            </label>
            <span class="grow" />
            <button type="button" onClick={() => download(`${name}.jsonl`, 'application/x-ndjson', shown.map((f) => JSON.stringify(f)).join('\n'))}>
              {t('common.download')}
            </button>
          </div>
          <div class="frames" tabIndex={0} role="region" aria-label={t('device.frames')}>
            {shown.map((f, i) => (
              <details key={i} open={i < 2}>
                <summary>
                  <Time at={f.at} /> {t(f.direction === 'in' ? 'device.in' : 'device.out')} <D>{/"([A-Z]\w+)"/.exec(f.text)?.[1] ?? ''}</D>
                </summary>
                <pre translate={false}>{f.text}</pre>
              </details>
            ))}
          </div>
        </>
      )}
    </section>
  )
}
