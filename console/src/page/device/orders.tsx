import { power } from '../../format.ts'
import { t, word } from '../../text/index.ts'
import { State, Time } from '../../part/basics.tsx'
import type { Everything } from './everything.ts'

export function Orders({ e }: { e: Everything }) {
  return (
    <section class="card">
      <h2>{t('device.orders')}</h2>
      {e.deliveries.length === 0 ? (
        <p>{t('device.noOrders')}</p>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label={t('device.orders')}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('nav.dispatches')}</th>
                <th scope="col">{t('common.state')}</th>
                <th scope="col" class="num">
                  {t('dispatch.asked')}
                </th>
                <th scope="col">{t('step.sent')}</th>
                <th scope="col">{t('step.acknowledged')}</th>
                <th scope="col">{t('common.at')}</th>
                <th scope="col">{t('common.reason')}</th>
              </tr>
            </thead>
            <tbody>
              {e.deliveries.map((x) => (
                <tr key={x.id}>
                  <td>
                    <a href={`#/dispatches/${x.dispatch}`}>
                      <Time at={(x.intervals[0] as { start: string } | undefined)?.start ?? x.at} />
                    </a>
                  </td>
                  <td>
                    <State of={x.state} />
                  </td>
                  <td class="num" translate={false}>
                    {power(x.allocated_W / 1000)}
                  </td>
                  <td>
                    <Time at={x.sentAt} style="time" />
                  </td>
                  <td>
                    <Time at={x.acknowledgedAt} style="time" />
                  </td>
                  <td>
                    <Time at={x.at} style="time" />
                  </td>
                  <td translate={false} title={x.reason}>{x.reason ? word('reason', x.reason) : ''}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}
