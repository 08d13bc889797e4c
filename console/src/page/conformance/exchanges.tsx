import { t } from '../../text/index.ts'
import { D, Facts } from '../../part/basics.tsx'
import { readable, type Row } from './report.ts'

/** What was expected and what came, then every step on the wire; the one at which it ended stands open (UX-035). */
export function Exchanges({ of: r }: { of: Row }) {
  const steps = r.exchanges.filter((e) => !e.after),
    ended = r.verdict === 'PASSED' ? -1 : steps.length - 1
  return (
    <>
      <p class={['FAILED', 'ERROR'].includes(r.verdict) ? 'problem long' : 'long'} translate={false}>
        {r.detail}
      </p>
      <Facts of={[['conf.clause', r.clause], r.requirements.length > 0 && ['conf.requirements', r.requirements.join(', ')]]} />
      {steps.length === 0 ? (
        <p class="soft">{t(r.verdict === 'NOT APPLICABLE' ? 'conf.notAsked' : 'conf.noExchanges')}</p>
      ) : (
        <div class="frames">
          {steps.map((e, i) => (
            <details key={i} open={i === ended} data-step={i + 1}>
              <summary>
                {i + 1}. <D>{e.step}</D>
              </summary>
              <h3>{t('conf.sent')}</h3>
              <pre tabIndex={0} translate={false} data-part="sent">{readable(e.sent)}</pre>
              <h3>{t('conf.got')}</h3>
              <pre tabIndex={0} translate={false} data-part="got">{readable(e.got)}</pre>
            </details>
          ))}
        </div>
      )}
    </>
  )
}
