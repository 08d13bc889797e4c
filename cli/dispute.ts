import type { Command } from 'commander'
import { listAndShow } from '#cli/listing.js'
import { act, collect, noun, verb, type OperatorOptions } from '#cli/operator-noun.js'

export function registerDispute(program: Command): void {
  const own = noun(program, 'dispute', 'contests of statement lines', ['dispute list', 'dispute open STATEMENT --reason "meter was changed"', 'dispute move ID upheld --adjustment 12.50'])
  listAndShow(own, 'dispute', 'disputes', ['id', 'statement', 'servicePoint', 'state', 'reason', 'answerBy'])
  verb(own, 'open <statement>', 'contest a statement or one of its lines', 'dispute open STATEMENT --reason "meter was changed"').requiredOption('--reason <text>', 'why').option('--line <line>', 'which line').option('--evidence <text>', 'what proves it (repeat)', collect, [])
    .action((statement: string, o: OperatorOptions & { reason: string; line?: string; evidence: string[] }) => act(o, (c) => c.call('POST', '/disputes', { statement, reason: o.reason, ...(o.line ? { line: o.line } : {}), ...(o.evidence.length > 0 ? { evidence: o.evidence } : {}) })))
  verb(own, 'comment <id>', 'say something or attach evidence', 'dispute comment ID --text "the technician was there" --evidence "photo 1"').requiredOption('--text <text>', 'what').option('--evidence <text>', 'what proves it (repeat)', collect, [])
    .action((id: string, o: OperatorOptions & { text: string; evidence: string[] }) => act(o, (c) => c.call('POST', `/disputes/${id}/comments`, { text: o.text, ...(o.evidence.length > 0 ? { evidence: o.evidence } : {}) })))
  verb(own, 'move <id> <state>', 'one step: underReview, upheld, partlyUpheld, rejected, closed', 'dispute move ID underReview').option('--reason <text>', 'why').option('--adjustment <amount>', 'amount that settles it')
    .action((id: string, to: string, o: OperatorOptions & { reason?: string; adjustment?: string }) =>
      act(o, (c) => c.call('POST', `/disputes/${id}/transitions`, { to, ...(o.reason ? { reason: o.reason } : {}), ...(o.adjustment ? { adjustment: o.adjustment } : {}) })))
}
