import type { Command } from 'commander'
import { numberFrom } from '#cli/argument.js'
import { listAndShow } from '#cli/listing.js'
import { act, collect, confirm, noun, verb, type OperatorOptions } from '#cli/operator-noun.js'

interface Shown {
  readonly programName: string
  readonly start: string
  readonly end: string
  readonly timeZone: string
  readonly power_kW: number
  readonly allocated_kW: number
  readonly shortfall_kW: number
  readonly allocation: { readonly byResource: readonly unknown[] }
  readonly warnings: readonly string[]
}
interface CreateOptions extends OperatorOptions {
  readonly program: string
  readonly power: string
  readonly start: string
  readonly end?: string
  readonly duration?: string
  readonly mode?: string
  readonly reason?: string
  readonly resource: string[]
  readonly aggregation?: string
  readonly emergency: string[]
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly key?: string
}

const inWords = (d: Shown): string => `${d.power_kW} kW in program ${d.programName}, ${d.start} to ${d.end} (${d.timeZone}): ${d.allocated_kW} kW over ${d.allocation.byResource.length} devices, ${d.shortfall_kW} kW cannot be met${d.warnings.map((w) => `\n  ${w}`).join('')}`

async function create(o: CreateOptions): Promise<void> {
  const power_kW = Number(o.power)
  const body = {
    program: o.program, power_kW, start: o.start, ...(o.end ? { end: o.end } : {}), ...(o.duration ? { duration: o.duration } : {}), ...(o.mode ? { mode: o.mode } : {}), ...(o.reason ? { reason: o.reason } : {}),
    ...(o.emergency.length > 0 ? { emergency: o.emergency } : {}), ...(o.aggregation ? { scope: { aggregation: o.aggregation } } : o.resource.length > 0 ? { scope: { resources: o.resource } } : {}),
  }
  await act(o, async (c) => {
    const dry = await c.call<Shown>('POST', '/dispatches', { ...body, dryRun: true })
    if (o.dryRun) return dry
    process.stderr.write(`${inWords(dry)}\n`)
    await confirm('This sends orders to devices.', dry.programName, o.yes)
    return await c.call('POST', '/dispatches', body, o.key ? { 'idempotency-key': o.key } : {})
  })
}

export function registerDispatch(program: Command): void {
  const own = noun(program, 'dispatch', 'orders of power', ['dispatch create --program peak --power 2000 --start 2026-07-15T16:00 --duration PT2H --dry-run', 'dispatch cancel ID', 'dispatch deliveries ID'])
  listAndShow(own, 'dispatch', 'dispatches', ['id', 'programName', 'power_kW', 'start', 'end', 'state', 'revision', 'allocated_kW', 'shortfall_kW'])
  verb(own, 'create', 'order power; shows devices and limits first', 'dispatch create --program peak --power 2000 --start 2026-07-15T16:00 --duration PT2H --yes')
    .requiredOption('--program <name>', 'program').requiredOption('--power <kW>', 'kW in the direction of the program', numberFrom(Number.NEGATIVE_INFINITY)).requiredOption('--start <time>', 'RFC 3339, or local time of the program')
    .option('--end <time>', 'end').option('--duration <iso>', 'instead of end: PT2H').option('--mode <mode>', 'merit, proportional, rotation, optimal').option('--reason <text>', 'why')
    .option('--resource <name>', 'only this resource (repeat)', collect, []).option('--aggregation <name>', 'only below this node').option('--emergency <check>', 'override a publishing check (repeat)', collect, [])
    .option('--key <key>', 'Idempotency-Key: the same order twice is one').option('--dry-run', 'show, send nothing').option('--yes', 'do not ask')
    .action(create)
  const step = (name: string, description: string): void => {
    verb(own, `${name} <id>`, description, `dispatch ${name} ID --yes`).option('--reason <text>', 'why').option('--yes', 'do not ask')
      .action((id: string, o: OperatorOptions & { reason?: string; yes?: boolean }) => act(o, async (c) => {
        const d = await c.call<Shown>('GET', `/dispatches/${id}`)
        await confirm(`${description}: ${inWords(d)}`, d.programName, o.yes)
        return await c.call('POST', `/dispatches/${id}/${name}`, o.reason === undefined ? {} : { reason: o.reason })
      }))
  }
  step('cancel', 'take an order back from every device')
  step('release', 'let a held order go, as the second person')
  verb(own, 'deliveries <id>', "each device's part", 'dispatch deliveries ID')
    .action((id: string, o: OperatorOptions) => act(o, async (c) => {
      const items = await c.all<Record<string, unknown>>(`/dispatches/${id}/deliveries`)
      return o.json ? items : items.map(({ resourceName, protocol, state, reason, at, allocated_W }) => ({ resourceName, protocol, state, reason, at, allocated_W }))
    }))
  verb(own, 'performance <id>', 'baseline, metered and delivered energy', 'dispatch performance ID --json').action((id: string, o: OperatorOptions) => act(o, (c) => c.call('GET', `/dispatches/${id}/performance`)))
}
