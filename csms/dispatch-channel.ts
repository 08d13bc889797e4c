import type { DeliveryOrder, DispatchChannel, SendOutcome } from '#core/port/dispatch-channel.js'
import type { Log } from '#core/port/log.js'
import { failSafe } from './fail-safe.js'
import { keyOf } from './station.js'
import type { Neighbours } from './neighbours.js'
import type { Installer } from './smart-charging/installer.js'
import type { Station } from './station.js'

/**
 * Orders as charging profiles (style.md §10, 6c): absolute ceilings in W or A that end by themselves. An absent station keeps
 * its order in the ledger until a quarter of it has passed (OCPP-248); what became of it comes as happenings.
 */
export function ocppChannel({ installer, find, log, near }: {
  installer: Installer; log: Log; near: Pick<Neighbours, 'ownerOf' | 'ask'>
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
  /** Orders go to the process that has the station, all of one process in one word; the outcomes come back in the order asked. */
  async function routed(orders: readonly DeliveryOrder[], here: (own: readonly DeliveryOrder[]) => Promise<SendOutcome[]>, question: string, more: (own: readonly DeliveryOrder[]) => unknown): Promise<SendOutcome[]> {
    const parts = new Map<string | undefined, DeliveryOrder[]>()
    for (const order of orders) {
      const owner = near.ownerOf(keyOf(order.tenant, order.binding.remoteId))
      const own = parts.get(owner)
      if (own) own.push(order)
      else parts.set(owner, [order])
    }
    if (parts.size <= 1 && parts.has(undefined)) return here(orders)
    const outcomes = await Promise.all([...parts].map(async ([owner, own]) => {
      if (owner === undefined) return here(own)
      try {
        return await near.ask(owner, question, more(own)) as SendOutcome[]
      } catch (error) {
        log.warn({ err: error, orders: own.length }, 'orders did not reach the process that has the stations')
        return own.map((o): SendOutcome => ({ id: o.id, outcome: 'failed', reason: 'the process that has the station did not answer' }))
      }
    }))
    const byId = new Map(outcomes.flat().map((o) => [o.id, o]))
    return orders.map((o) => byId.get(o.id) ?? { id: o.id, outcome: 'failed', reason: 'no outcome' })
  }
  return {
    protocol: 'ocpp', failSafe,
    send: (orders) => routed(orders, (own) => each(own, (station, order) => installer.order(station, order)), 'send', (own) => own),
    cancel: (orders, reason) => routed(orders, (own) => each(own, (station, order) => installer.cancel(station, order)), 'cancel', (own) => [own, reason]),
  }
}
