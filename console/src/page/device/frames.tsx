import { useState } from 'preact/hooks'
import { t } from '../../text/index.ts'
import { D, download, text, Time } from '../../part/basics.tsx'
import type { Frame } from './everything.ts'

/** OCPP-J frames begin with a type, an id and, in a request, the action, in an error its code. */
const frame = /^\[([2-5]),"([^"]*)"(?:,"(\w+)")?/

/** What each frame is about, in its own words: the OCPP action, for an answer that of its request, else the request or status line. */
function subjects(of: readonly Frame[]): (f: Frame) => string {
  const actions = new Map<string, string>()
  for (const f of of) {
    const [, type, id, action] = frame.exec(f.text) ?? []
    if (type === '2' && id !== undefined && action !== undefined) actions.set(id, action)
  }
  return (f) => {
    const [, type, id = '', word] = frame.exec(f.text) ?? [],
      asked = actions.get(id)
    if (type === '2' && word !== undefined) return word
    if (asked !== undefined && type === '3') return t('device.answerTo', { action: asked })
    if (asked !== undefined && type === '4') return t('device.errorTo', { action: asked, code: word ?? '' })
    return (f.text.split('\n')[0] ?? '').slice(0, 80)
  }
}

/** XML on one line is nobody's reading matter; the download keeps it as it was. */
const readable = (of: string): string => of.replaceAll('><', '>\n<')

/** Last words both ways, raw, filtered, downloadable (UX-049). */
export function Frames({ of, name }: { of: Frame[]; name: string }) {
  const [filter, set] = useState(''),
    about = subjects(of),
    shown = of.filter((f) => f.text.toLowerCase().includes(filter.toLowerCase()))
  return (
    <section class="card" data-frames={of.length}>
      <h2>{t('device.frames')}</h2>
      {of.length === 0 ? (
        <p>{t('device.noFrames')}</p>
      ) : (
        <>
          <div class="row tools">
            <label class="inline">
              {t('device.filterFrames')} <input type="search" name="frames" value={filter} onInput={text(set)} />
            </label>
            <span class="grow" />
            <span class="soft" role="status">{t('common.of', { n: shown.length, total: of.length })}</span>
            <button type="button" onClick={() => download(`${name}.jsonl`, 'application/x-ndjson', shown.map((f) => JSON.stringify(f)).join('\n'))}>
              {t('common.download')}
            </button>
          </div>
          <div class="frames" tabIndex={0} role="region" aria-label={t('device.frames')}>
            {shown.map((f) => (
              <details key={`${f.at}${f.direction}${f.text.slice(0, 60)}`} open={f === shown[0] || f === shown[1]}>
                <summary>
                  <Time at={f.at} style="second" /> <span aria-hidden="true">{f.direction === 'in' ? '→' : '←'}</span> {t(f.direction === 'in' ? 'device.in' : 'device.out')} <D>{about(f)}</D>
                  {(f.times ?? 1) > 1 && <span class="soft"> {t('device.times', { n: f.times! })}</span>}
                </summary>
                <pre tabIndex={0} translate={false}>{readable(f.text)}</pre>
              </details>
            ))}
          </div>
        </>
      )}
    </section>
  )
}
