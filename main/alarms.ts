import { note } from '#core/audit/note.js'
import type { Core } from '#core/assemble.js'
import { system } from '#core/caller.js'
import type { Log } from '#core/port/log.js'
import { watchExpiry, type PkiFolder } from '#certs/index.js'
import type { Clock } from '#core/port/clock.js'
import type { DerAlarm } from '#csip-server/context.js'
import { certificateEnds } from '#main/metrics.js'
import { firstTenant, type Closing } from '#main/shape.js'

/** What operators hear of besides their own doing: written down, and so announced to their webhooks. */
const tell = (core: Core, log: Log, action: string, entity: string, reason: string): void => {
  core.transact((work) => note(work, system(firstTenant), [{ action, entity, reason }])).catch((error: unknown) => log.error({ err: error, action, entity }, 'an alarm could not be written down'))
}

/** SEP-188. */
export const derAlarm = (core: Core, log: Log) => ({ lfdi, alarm, raised }: DerAlarm): void => tell(core, log, raised ? 'der.alarm' : 'der.alarm-end', lfdi, alarm)

/** UX-076: our own server certificates and authorities. */
export function watchOwnCertificates(core: Core, certificates: { readonly pki: PkiFolder }, clock: Clock, log: Log, closing: Closing): void {
  const list = () => certificateEnds(certificates.pki)
  const watch = watchExpiry({ list, clock, log, alarm: ({ name, days }) => tell(core, log, 'certificate.expires', name, days === 0 ? 'has ended' : `ends within ${days} days`) })
  closing.add('expiry of certificates', () => watch.stop())
}
