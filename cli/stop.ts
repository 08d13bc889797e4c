import type { Command } from 'commander'
import { act, verb, type OperatorOptions } from '#cli/operator-noun.js'

interface StopOptions extends OperatorOptions {
  readonly program?: string
  readonly node?: string
  readonly resource?: string
  readonly reason?: string
  readonly lift?: string
  readonly list?: boolean
}

/** CORE-204: one command, no question asked: stopping must never wait for a prompt. */
export function registerStop(program: Command): void {
  verb(program, 'stop', 'stop everything, or one program, node or resource, now', 'stop --reason "smoke at substation-1"')
    .option('--program <name>', 'only this program').option('--node <name>', 'only below this grid node').option('--resource <name>', 'only this resource').option('--reason <text>', 'why')
    .option('--lift <id>', 'lift a stop instead').option('--list', 'show stops')
    .action((o: StopOptions) => act(o, (c) => {
      if (o.list) return c.all('/stop')
      const reason = o.reason === undefined ? {} : { reason: o.reason }
      if (o.lift !== undefined) return c.call('POST', `/stop/${o.lift}/lift`, reason)
      return c.call('POST', '/stop', { ...reason, ...(o.node ? { node: o.node } : o.program ? { program: o.program } : o.resource ? { resource: o.resource } : {}) })
    }))
}
