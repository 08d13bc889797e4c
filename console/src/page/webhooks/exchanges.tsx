import { plain } from '../../format.ts'
import { t } from '../../text/index.ts'
import { D, State, Time } from '../../part/basics.tsx'
import type { Attempt, Sent } from './hook.ts'

/** As it went over the wire, so that a signature can be checked by hand. */
const requestText = ({ event }: Sent, { request }: Attempt): string =>
  request ? [`POST ${request.url}`, ...Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`), '', JSON.stringify(event)].join('\n') : JSON.stringify(event)

/** Every attempt at one delivery: the request with its headers, and what came back (UX-030). */
export function Exchanges({ of: s }: { of: Sent }) {
  if (s.attempts.length === 0) return <p class="empty">{t('hook.notYet')}</p>
  return (
    <div class="frames">
      {s.attempts.map((a, i) => (
        <details key={i} open={i === s.attempts.length - 1} data-attempt={i + 1}>
          <summary>
            {t('hook.attempt', { n: i + 1 })} <Time at={a.at} style="second" /> <State of={a.status !== null && a.status >= 200 && a.status < 300 ? 'delivered' : 'failed'} /> <D>{a.status ?? ''}</D> <span class="soft">{t('hook.ms', { n: plain(a.ms, 0) })}</span>
          </summary>
          <h3>{t('hook.request')}</h3>
          <pre tabIndex={0} translate={false} data-part="request">{requestText(s, a)}</pre>
          <h3>{t(a.status === null ? 'hook.noResponse' : 'hook.response')}</h3>
          <pre tabIndex={0} translate={false} data-part="answer">{[a.status, a.answer].filter((x) => x !== null && x !== '').join('\n')}</pre>
        </details>
      ))}
    </div>
  )
}
