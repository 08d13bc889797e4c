import type { Command } from 'commander'
import { createVerb, listAndShow } from '#cli/listing.js'
import { act, noun, verb, type OperatorOptions } from '#cli/operator-noun.js'

export function registerEnrolment(program: Command): void {
  const own = noun(program, 'enrolment', 'contracts of service points with programs', ['enrolment list', 'enrolment create --set program=peak --set servicePoint=home-1', 'enrolment move ID active'])
  listAndShow(own, 'enrolment', 'enrolments', ['id', 'program', 'servicePoint', 'state', 'share', 'nominated_kW'])
  createVerb(own, 'enrolment', 'enrolments', '--set program=peak --set servicePoint=home-1')
  verb(own, 'move <id> <state>', 'one step: eligible, verified, active, suspended, withdrawn, rejected', 'enrolment move ID active --reason "test passed"')
    .option('--reason <text>', 'why')
    .action((id: string, to: string, o: OperatorOptions & { reason?: string }) => act(o, (c) => c.call('POST', `/enrolments/${id}/transitions`, { to, ...(o.reason === undefined ? {} : { reason: o.reason }) })))
  verb(own, 'withdraw-consent <id>', 'end it because consent is withdrawn', 'enrolment withdraw-consent ID')
    .action((id: string, o: OperatorOptions) => act(o, (c) => c.call('POST', `/enrolments/${id}/withdraw-consent`, {})))
}
