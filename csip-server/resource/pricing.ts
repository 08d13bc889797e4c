import { eventBehaviours } from '#csip-server/event-behaviour.js'
import type { EventKind } from '#csip-server/program-events.js'
import { groupPrograms } from '#csip-server/resource/program.js'

/** SEP-200: one price at a time in a rate component. */
export const timeTariffIntervals: EventKind = {
  kind: 'csip/TimeTariffInterval',
  parent: (params) => `${params.tp ?? ''}/${params.rc ?? ''}`,
  slot: 'tti',
  href: (params) => `/tp/${params.tp ?? ''}/rc/${params.rc ?? ''}/tti/${params.tti ?? ''}`,
  controls: () => ['price'],
  replyTo: '/rsps/price/rsp',
}

export const tariffProfiles = groupPrograms('csip/TariffProfile', 'tp')
export const { item: timeTariffInterval, list: timeTariffIntervalList, active: activeTimeTariffIntervalList } = eventBehaviours(timeTariffIntervals, 'csip/RateComponent', async () => {})
