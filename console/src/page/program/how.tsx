import { t } from '../../text/index.ts'
import { State } from '../../part/basics.tsx'

const states = ['applied', 'eligible', 'verified', 'active', 'suspended', 'withdrawn', 'rejected'] as const

/** The road from an invitation to a part in events, for who reads these words for the first time. */
export const How = () => (
  <details class="card">
    <summary>{t('enrol.how')}</summary>
    <dl class="explain">
      {states.map((s) => (
        <div key={s}>
          <dt>
            <State of={s} />
          </dt>
          <dd>{t(`enrol.means.${s}`)}</dd>
        </div>
      ))}
    </dl>
    <p class="soft">{t('enrol.howHelp')}</p>
  </details>
)
