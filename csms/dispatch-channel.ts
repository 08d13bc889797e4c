import type { DeliveryOrder, DispatchChannel, SendOutcome } from '#core/port/dispatch-channel.js'
import type { Log } from '#core/port/log.js'
import type { Installer } from './smart-charging/installer.js'
import type { Station } from './station.js'

/**
 * Orders as charging profiles (style.md §10, 6c): absolute ceilings in W or A that end by themselves. An absent station keeps
 * its order in the ledger until a quarter of it has passed (OCPP-248); what became of it comes as happenings.
 */
export function ocppChannel({ installer, find, log }: {
  installer: Installer; log: Log
  find(tenant: string, identity: string): Promise<Station | undefined>
}): DispatchChannel {
  async function each(orders: readonly DeliveryOrder[], act: (station: Station, order: DeliveryOrder) => Promise<SendOutcome>): Promise<SendOutcome[]> {
    return Promise.all(orders.map(async (order): Promise<SendOutcome> => {
      try {
        const station = await find(order.tenant, order.binding.remoteId)
        return station ? await act(station, order) : { id: order.id, outcome: 'refused', reason: 'unknown station' }
      } catch (error) {
        log.error({ err: error, order: order.id, station: order.binding.remoteId }, 'an order could not be handed over')
        return { id: order.id, outcome: 'failed', reason: 'internal error' }
      }
    }))
  }
  return {
    protocol: 'ocpp',
    send: (orders) => each(orders, (station, order) => installer.order(station, order)),
    cancel: (orders) => each(orders, (station, order) => installer.cancel(station, order)),
  }
}
