import { count, power, span } from '../../format.ts'
import { serverNow } from '../../session.ts'
import { type Key, knows, t, word } from '../../text/index.ts'
import { type Dispatch, type Program, protocols } from '../../types.ts'
import { D } from '../../part/basics.tsx'
import { directionOf, orderWords, window } from '../../part/dispatch-words.tsx'
import { ByDevice } from './by-device.tsx'

export function Preview({ d, program, title = 'new.preview' }: { d: Dispatch; program: Program; title?: Key }) {
  const two = program.limits.twoPersonAbove_kW as number | undefined
  const excluded = new Map<string, number>()
  for (const x of d.excluded ?? []) excluded.set(x.reason, (excluded.get(x.reason) ?? 0) + 1)
  const n = (protocol: string): number => d.allocation.byResource.filter((x) => x.protocol === protocol).length
  return (
    <section class="card" aria-live="polite" data-preview={d.allocated_kW}>
      <h2>
        {t(title)}: {orderWords(d.power_kW, directionOf(d, program.direction))},{' '}
        <D>
          {window(d.start, d.end, d.timeZone)} {d.timeZone}
        </D>
      </h2>
      <p class="soft">{t('new.nothingSent')}</p>
      <div class="columns">
        <div>
          <p>
            <strong>{t('new.devices', { n: count(d.allocation.byResource.length) })}</strong> {t('dispatch.placed')}: <D>{power(d.allocated_kW)}</D>
            {d.shortfall_kW > 0 && (
              <>
                {' '}
                · <strong>{t('dispatch.notPlaced', { power: power(d.shortfall_kW) })}</strong>
              </>
            )}
          </p>
          {protocols.map((p) => (
            <div key={p} class="bar">
              <span>{word('protocol', p)}</span>
              <meter min={0} max={1} value={d.allocated_kW > 0 ? d.allocation.byProtocol[p] / d.allocated_kW : 0} aria-label={word('protocol', p)} />
              <span>{t('protocols.part', { power: power(d.allocation.byProtocol[p]), n: count(n(p)) })}</span>
            </div>
          ))}
          <p>{t('new.noticeIn', { span: span(Date.parse(d.start) - serverNow()) })}</p>
          {two !== undefined && <p class={d.power_kW > two ? 'problem' : 'soft'}>{t('new.twoPerson', { power: power(two) })}</p>}
        </div>
        <div>
          <h3>{t('new.warnings')}</h3>
          {d.warnings.length === 0 ? (
            <p>{t('new.noWarnings')}</p>
          ) : (
            <ul translate={false}>
              {d.warnings.map((w) => (
                <li key={w}>{w}</li>
              ))}
            </ul>
          )}
          {d.bindingConstraints.length > 0 && (
            <>
              <h3>{t('new.constraints')}</h3>
              <ul translate={false}>
                {d.bindingConstraints.map((w) => (
                  <li key={w}>{w}</li>
                ))}
              </ul>
            </>
          )}
          {excluded.size > 0 && (
            <>
              <h3>{t('new.excluded', { n: count(d.excluded!.length) })}</h3>
              <ul>
                {[...excluded].map(([r, k]) => (
                  <li key={r}>
                    <D>{count(k)}</D> × {knows('excluded', r) ? t(`excluded.${r}` as Key) : <D>{r}</D>}
                  </li>
                ))}
              </ul>
            </>
          )}
        </div>
      </div>
      <ByDevice of={d} />
    </section>
  )
}
