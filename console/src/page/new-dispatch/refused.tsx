import type { ApiError } from '../../api.ts'
import { t } from '../../text/index.ts'
import { D } from '../../part/basics.tsx'

/** Every check that the order fails, each with the choice to go on in an emergency (CORE-050). */
export const Refused = ({ error, emergency, set }: { error: ApiError; emergency: readonly string[]; set: (names: string[]) => void }) => (
  <section class="problem" role="alert">
    <h2>{t('new.checks')}</h2>
    <ul class="trouble">
      {error.problem.checks!.map((c) => (
        <li key={c.check + c.detail}>
          <D>
            <b>{c.check}</b> {c.detail}
          </D>{' '}
          {error.problem.status === 422 && (
            <label class="check">
              <input
                type="checkbox"
                checked={emergency.includes(c.check)}
                onChange={(e) => set(e.currentTarget.checked ? [...new Set([...emergency, c.check])] : emergency.filter((x) => x !== c.check))}
              />{' '}
              {t('new.override')}
            </label>
          )}
        </li>
      ))}
    </ul>
  </section>
)
