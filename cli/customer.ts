import type { Command } from 'commander'
import { act, confirm, noun, verb, type OperatorOptions } from '#cli/operator-noun.js'

type Any = Record<string, unknown>

/** UX-066: what a customer may ask for, one command each. */
export function registerCustomer(program: Command): void {
  const own = noun(program, 'customer', 'the data of one customer: everything we hold, or its erasure', ['customer data home-1 --json > home-1.json', 'customer erase home-1 --reason "asked for" --yes'])
  verb(own, 'data <servicePoint>', 'everything that is held about the customer of a service point', 'customer data home-1 --json').action((id: string, o: OperatorOptions) => act(o, async (c) => {
    const point = await c.call<Any & { id: string }>('GET', `/service-points/${encodeURIComponent(id)}`), at = `servicePoint=${encodeURIComponent(point.id)}`
    const [contacts, enrolments, resources, statements, disputes, readings] = await Promise.all([c.all<Any>(`/contacts?${at}`), c.all<Any>('/enrolments'), c.all<Any>(`/resources?${at}`), c.all<Any>(`/statements?${at}`), c.all<Any>('/disputes'), c.all<Any>(`/readings?${at}`)])
    const mine = (list: readonly Any[]): Any[] => list.filter((x) => x['servicePoint'] === point.id)
    return { servicePoint: point, contacts: mine(contacts), enrolments: mine(enrolments), resources: mine(resources), statements: mine(statements), disputes: mine(disputes), readings }
  }))
  verb(own, 'erase <servicePoint>', 'personal fields and interval data go; settled amounts stay under a pseudonym (CORE-224)', 'customer erase home-1 --reason "asked for" --yes').requiredOption('--reason <text>', 'why').option('--yes', 'do not ask')
    .action((id: string, o: OperatorOptions & { reason: string; yes?: boolean }) => act(o, async (c) => {
      await confirm(`This erases the customer of ${id} and every reading of it.`, id, o.yes)
      return await c.call('POST', `/service-points/${encodeURIComponent(id)}/erase`, { reason: o.reason })
    }))
}
