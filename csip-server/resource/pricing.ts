import { eventBehaviours } from '#csip-server/event-behaviour.js'
import { HttpFault } from '#csip-server/error-map.js'
import { cut } from '#csip-server/page.js'
import { listEvents, type EventKind } from '#csip-server/program-events.js'
import { groupPrograms } from '#csip-server/resource/program.js'
import type { Behaviour, Exchange, Item, Value } from '#csip-server/served.js'

/** SEP-200: one price at a time in a rate component. */
export const timeTariffIntervals: EventKind = {
  kind: 'csip/TimeTariffInterval',
  parent: (params) => `${params.tp ?? ''}/${params.rc ?? ''}`,
  slot: 'tti',
  href: (params) => `/tp/${params.tp ?? ''}/rc/${params.rc ?? ''}/tti/${params.tti ?? ''}`,
  controls: () => ['price'],
  replyTo: '/rsps/price/rsp',
}
const components = 'csip/RateComponent', prices = 'csip/ConsumptionTariffInterval', readingTypes = 'csip/ReadingType'

const componentsOf = (x: Exchange, tariff: string) => x.ctx.documents.list<Value>(x.ctx.tenant, { kind: components, parent: tariff, order: ['-key', 'id'] })

/** What hangs below a rate component goes with it. */
async function removeComponent(x: Exchange, tariff: string, id: string): Promise<void> {
  const { documents, tenant } = x.ctx, parent = `${tariff}/${id}`
  for (const interval of await documents.list(tenant, { kind: timeTariffIntervals.kind, parent })) await documents.removeAll(tenant, prices, `${parent}/${interval.id}`)
  await documents.removeAll(tenant, timeTariffIntervals.kind, parent)
  await documents.remove(tenant, readingTypes, parent)
  await documents.remove(tenant, components, id)
}

export const tariffProfiles = groupPrograms('csip/TariffProfile', 'tp', async (x, tariff) => {
  for (const component of await componentsOf(x, tariff)) await removeComponent(x, tariff, component.id)
})

export const rateComponent: Behaviour = {
  async remove(x) {
    const { tp = '', rc = '' } = x.params, doc = await x.ctx.documents.get(x.ctx.tenant, components, rc)
    if (doc?.parent !== tp) throw new HttpFault(404)
    await removeComponent(x, tp, rc)
  },
}

/** SEP-200: a price is per unit of this. Interpretation: imported energy in kWh until an operator says otherwise. */
export const rateReadingType: Behaviour = {
  async get(x) {
    const { tp = '', rc = '' } = x.params, { documents, tenant } = x.ctx
    if ((await documents.get(tenant, components, rc))?.parent !== tp) return undefined
    const said = await documents.get<Value>(tenant, readingTypes, `${tp}/${rc}`)
    return said ? { ...said.body } : { accumulationBehaviour: 4, commodity: 1, flowDirection: 1, kind: 12, powerOfTenMultiplier: 3, uom: 72 }
  },
}

export const { item: timeTariffInterval, list: timeTariffIntervalList, active: activeTimeTariffIntervalList } = eventBehaviours(timeTariffIntervals, components, async () => {})

/** CSIP-AUS 1.3 (SEP-200): the prices of an interval travel with it. */
async function summed(x: Exchange, id: string, value: Value): Promise<Value> {
  const { tp = '', rc = '' } = x.params, parent = `${tp}/${rc}/${id}`, href = `${x.ctx.config.prefix}/tp/${tp}/rc/${rc}/tti/${id}/cti`
  const found = await x.ctx.documents.list<Value>(x.ctx.tenant, { kind: prices, parent, order: ['sort1', 'id'], limit: x.ctx.config.listMax })
  const all = found.length < x.ctx.config.listMax ? found.length : await x.ctx.documents.count(x.ctx.tenant, { kind: prices, parent })
  return {
    ...value, RateComponentLink: { href: `${x.ctx.config.prefix}/tp/${tp}/rc/${rc}` },
    ConsumptionTariffIntervalListSummary: { href, all, results: found.length, ConsumptionTariffInterval: found.map((d) => ({ ...d.body, href: `${href}/${d.id}` })) },
  }
}

const withSummary = (list: Behaviour): Behaviour => ({
  ...list,
  async list(x, page) {
    const given = await (list.list as NonNullable<Behaviour['list']>)(x, page)
    return { all: given.all, items: await Promise.all(given.items.map(async ({ id, value }) => ({ id, value: await summed(x, id, value) }))) }
  },
})
export const summarizedInterval: Behaviour = { ...timeTariffInterval, get: async (x) => { const value = await timeTariffInterval.get?.(x); return value && summed(x, x.params.tti ?? '', value) } }
export const summarizedIntervalList = withSummary(timeTariffIntervalList)
export const summarizedActiveList = withSummary(activeTimeTariffIntervalList)

/** CSIP-AUS 1.3: all intervals of a tariff, whichever component they belong to, in the order of their kind. */
export const combinedIntervalList: Behaviour = {
  async list(x, page) {
    const tp = x.params.tp ?? '', found: Item[] = []
    for (const component of await componentsOf(x, tp)) {
      const here = x.at({ tp, rc: component.id }), { items } = await listEvents(here, timeTariffIntervals, { s: 0, l: Infinity, a: undefined })
      for (const { id, value } of items) {
        const href = x.ctx.config.prefix + timeTariffIntervals.href({ tp, rc: component.id, tti: id }), full = await summed(here, id, value)
        const { all } = full.ConsumptionTariffIntervalListSummary as { all: number }
        found.push({ id, value: { ...full, href, ConsumptionTariffIntervalListLink: { href: `${href}/cti`, all } } })
      }
    }
    const start = (i: Item): number => (i.value.interval as { start: number }).start, made = (i: Item): number => Number(i.value.creationTime)
    found.sort((a, b) => start(a) - start(b) || made(b) - made(a) || (a.id < b.id ? 1 : -1))
    return { all: found.length, items: cut(page.a === undefined ? found : found.filter((i) => start(i) > (page.a as number)), page) }
  },
}
