import { all } from '../../api.ts'
import { count, percent } from '../../format.ts'
import { useLoad } from '../../live.ts'
import { t } from '../../text/index.ts'
import type { Delivery, Dispatch } from '../../types.ts'
import { Await, D, Time } from '../../part/basics.tsx'

export function OptOutCurve({ dispatches, zone }: { dispatches: Dispatch[]; zone: string }) {
  const ran = dispatches
    .filter((d) => ['active', 'completed', 'verified', 'settled'].includes(d.state))
    .sort((a, b) => a.start.localeCompare(b.start))
    .slice(-30)
  const curve = useLoad(
    async () =>
      Promise.all(
        ran.map(async (d) => {
          const list = await all<Delivery>(`/dispatches/${d.id}/deliveries`),
            lost = list.filter((x) => ['optedOut', 'rejected', 'noComms'].includes(x.state)).length
          return { d, told: list.length, lost }
        }),
      ),
    [ran.map((d) => d.id + d.state).join()],
  )
  return (
    <section>
      <h2>{t('kpi.curve')}</h2>
      <Await of={curve}>
        {(rows) =>
          rows.length === 0 ? (
            <p class="card empty">{t('kpi.none')}</p>
          ) : (
            <div class="scroll" tabIndex={0} role="region" aria-label={t('kpi.curveLabel')}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t('statement.event')}</th>
                    <th scope="col" class="num">
                      {t('kpi.told')}
                    </th>
                    <th scope="col" class="num">
                      {t('kpi.lost')}
                    </th>
                    <th scope="col">{t('kpi.curveLabel')}</th>
                  </tr>
                </thead>
                <tbody>
                  {rows.map(({ d, told, lost }) => (
                    <tr key={d.id}>
                      <td>
                        <a href={`#/dispatches/${d.id}`}>
                          <Time at={d.start} in={zone} />
                        </a>
                      </td>
                      <td class="num" translate={false}>
                        {count(told)}
                      </td>
                      <td class="num" translate={false}>
                        {count(lost)}
                      </td>
                      <td class="row">
                        <meter class="grow" min={0} max={1} value={told ? lost / told : 0} aria-label={t('kpi.lost')} />
                        <D>{percent(told ? lost / told : null)}</D>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Await>
    </section>
  )
}
