import type { Command } from 'commander'
import { CliExit, exitCode } from '#cli/exit-code.js'
import { act, noun, print, verb, type OperatorOptions } from '#cli/operator-noun.js'

const wishes = ['entity', 'actor', 'action', 'from', 'to'] as const

export function registerAudit(program: Command): void {
  const own = noun(program, 'audit', 'the hash-chained trail', ['audit verify', 'audit list --entity ID'])
  verb(own, 'list', 'records', 'audit list --actor olga --from 2026-07-15T00:00:00Z').option('--entity <id>', 'of one thing').option('--actor <who>', 'of one person').option('--action <name>', 'of one kind, e.g. dispatch.cancel').option('--from <time>', 'made at or after').option('--to <time>', 'made before')
    .action((o: OperatorOptions & Partial<Record<(typeof wishes)[number], string>>) => act(o, (c) => c.all(`/audit?${new URLSearchParams(wishes.flatMap((name) => (o[name] ? [[name, o[name]] as [string, string]] : [])))}`)))
  verb(own, 'verify', 'recompute the chain; names the first broken record', 'audit verify --heads audit-heads.jsonl').option('--heads <file>', 'heads that were written out daily: the newest must still be in the chain (CORE-232)')
    .action((o: OperatorOptions & { heads?: string }) => act(o, async (c) => {
      const kept = o.heads === undefined ? undefined : await newestHead(o.heads)
      const verdict = await c.call<{ verified: boolean; anchor?: boolean; firstBroken?: { seq: number } }>('GET', `/audit/verify${kept ? `?seq=${kept.seq}&hash=${kept.hash}` : ''}`)
      if (verdict.verified) return verdict
      print(verdict, o.json === true)
      throw new CliExit(exitCode.checksFailed, verdict.anchor === false && !verdict.firstBroken ? `The head that was written out (record ${kept?.seq}) is no longer in the audit trail: it was rewritten or cut.` : `The audit trail is broken at record ${verdict.firstBroken?.seq}.`)
    }))
}

async function newestHead(file: string): Promise<{ seq: number; hash: string } | undefined> {
  const { readFile } = await import('node:fs/promises')
  const text = await readFile(file, 'utf8').catch((e: Error) => { throw new CliExit(exitCode.usage, `${file} cannot be read: ${e.message}`) })
  const last = text.trim().split('\n').at(-1)
  try { return last ? JSON.parse(last) as { seq: number; hash: string } : undefined } catch { throw new CliExit(exitCode.usage, `${file} holds no heads of an audit chain.`) }
}
