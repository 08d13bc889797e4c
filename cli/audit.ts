import type { Command } from 'commander'
import { CliExit, exitCode } from '#cli/exit-code.js'
import { act, noun, print, verb, type OperatorOptions } from '#cli/operator-noun.js'

export function registerAudit(program: Command): void {
  const own = noun(program, 'audit', 'the hash-chained trail', ['audit verify', 'audit list --entity ID'])
  verb(own, 'list', 'records', 'audit list --entity ID').option('--entity <id>', 'of one thing').option('--from <time>', 'from')
    .action((o: OperatorOptions & { entity?: string; from?: string }) => act(o, (c) => c.all(`/audit?${new URLSearchParams({ ...(o.entity ? { entity: o.entity } : {}), ...(o.from ? { from: o.from } : {}) })}`)))
  verb(own, 'verify', 'recompute the chain; names the first broken record', 'audit verify')
    .action((o: OperatorOptions) => act(o, async (c) => {
      const verdict = await c.call<{ verified: boolean; firstBroken?: { seq: number } }>('GET', '/audit/verify')
      if (verdict.verified) return verdict
      print(verdict, o.json === true)
      throw new CliExit(exitCode.checksFailed, `The audit trail is broken at record ${verdict.firstBroken?.seq}.`)
    }))
}
