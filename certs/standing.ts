import type { DocumentStore } from '#core/port/store/document.js'
import type { Clock } from '#core/port/clock.js'
import { Kind, type CertificateRecord } from '#certs/record.js'
import type { CertificateRegistry } from '#certs/registry.js'

/**
 * What is wrong with the certificate of an LFDI, as half a sentence; undefined: nothing that is known here. One that was issued elsewhere shows its
 * dates and chain at the door alone (SEP-201); here only a block speaks against it.
 */
export const standingOf = (registry: Pick<CertificateRegistry, 'isBlocked'>, clock: Pick<Clock, 'nowMs'>) => async ({ documents }: { documents: DocumentStore }, tenant: string, lfdi: string): Promise<string | undefined> => {
  if (registry.isBlocked(lfdi)) return 'is revoked or blocked'
  const found = (await documents.byKey<CertificateRecord>(tenant, Kind.certificate, '', lfdi.toUpperCase()))?.body
  if (!found) return undefined
  if (found.state === 'revoked' || found.state === 'signing') return found.state === 'revoked' ? 'is revoked' : 'is not issued yet'
  const now = clock.nowMs()
  return now > found.notAfterMs ? `expired on ${new Date(found.notAfterMs).toISOString().slice(0, 10)}` : now < found.notBeforeMs ? 'is not valid yet' : undefined
}
