import { post } from '../../api.ts'
import { listed, plain } from '../../format.ts'
import { may } from '../../session.ts'
import { t, word } from '../../text/index.ts'
import type { Performance } from '../../types.ts'
import { Act, Facts, Time } from '../../part/basics.tsx'
import type { Verified } from '../verification.tsx'
import { readingsOf } from './links.ts'

/** The factor that the method used, and what it would have been without its cap. */
function adjustmentWords(b: Performance['baselineTrace']): string {
  if (b?.adjustment === null || b?.adjustment === undefined) return t('verify.noAdjustment')
  const { uncapped } = b.trace.adjustment,
    factor = t('verify.factor', { factor: plain(b.adjustment, 4) })
  return uncapped !== undefined && Math.abs(uncapped - b.adjustment) > 1e-9 ? `${factor}, ${t('verify.capped', { uncapped: plain(uncapped, 4) })}` : factor
}

/** By which rule, in which version, on which inputs; and who was left out (UX-062). */
export function Method({ dispatch: d, p, names, reload }: Verified) {
  const b = p.baselineTrace
  return (
    <section class="card">
      <Facts
        of={[
          [
            'verify.method',
            <a href={`#/baselines?program=${d.program}`} translate={false}>
              {p.method} v{p.methodVersion}
            </a>,
          ],
          ['verify.level', <span>{t(p.level === 'point' ? 'program.level.point' : 'program.level.portfolio')}</span>],
          ['verify.adjustment', <span>{adjustmentWords(b)}</span>],
          ['verify.flags', listed(p.flags.map((f) => word('flag', f))) || '–'],
          (b?.trace.assumed.length ?? 0) > 0 && ['verify.assumed', listed(b!.trace.assumed.map((x) => word('assumed', x)))],
          ['verify.computed', <Time at={p.computedAt} />],
          ['verify.hash', p.inputHash],
        ]}
      />
      {may('admin', 'operator', 'settlement') && (
        <p>
          <Act
            label="verify.again"
            do={async () => {
              await post(`/dispatches/${d.id}/verify`)
              reload()
            }}
          />{' '}
          <span class="soft">{t('verify.againHelp')}</span>
        </p>
      )}
      {(p.excludedPoints?.length ?? 0) > 0 && (
        <>
          <h3>{t('verify.excluded')}</h3>
          <ul>
            {p.excludedPoints.map((x) => (
              <li key={x}>
                <a href={readingsOf(x, d)} translate={false}>
                  {names.get(x) ?? x}
                </a>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  )
}
