import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { Clock } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { DocumentStore } from '#core/port/store/document.js'
import type { Journal } from './journal.js'
import type { Station } from './station.js'

interface Sealed { readonly requestId: number; readonly seqNo: number; readonly sealed: string }

/** What stations told of customers (N09): personal, so it is kept encrypted, for 30 days (OCPP-223). Documents `csms/CustomerInformation`. */
export interface Customers {
  keep(station: Station, part: { readonly requestId: number; readonly seqNo: number; readonly data: string }): Promise<void>
  /** The parts of each answer joined in their order, newest request first. */
  read(station: Station): Promise<{ requestId: number; data: string }[]>
  /** Drops what is older than its time; how many. */
  purge(tenant: string): Promise<number>
}

const kind = 'csms/CustomerInformation', kept_s = 30 * 86_400, nonce = 12, tag = 16

export function customers({ documents, journal, clock, ids, secret }: { documents: DocumentStore; journal: Journal; clock: Clock; ids: Ids; secret: Buffer }): Customers {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'customer information', 32))

  function seal(text: string): string {
    const iv = randomBytes(nonce), cipher = createCipheriv('aes-256-gcm', key, iv)
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64')
  }

  function open(sealed: string): string {
    const bytes = Buffer.from(sealed, 'base64'), decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonce))
    decipher.setAuthTag(bytes.subarray(nonce, nonce + tag))
    return Buffer.concat([decipher.update(bytes.subarray(nonce + tag)), decipher.final()]).toString('utf8')
  }

  return {
    keep: (station, { requestId, seqNo, data }) => journal.write([{
      tenant: station.tenant, kind, id: ids.uuid(), parent: station.identity, sort1: clock.now() + kept_s, body: { requestId, seqNo, sealed: seal(data) } satisfies Sealed,
    }]),
    async read(station) {
      const answers = new Map<number, string[]>()
      for (const { body } of await documents.list<Sealed>(station.tenant, { kind, parent: station.identity, sort1From: clock.now() + 1, order: ['-sort1'] })) {
        const parts = answers.get(body.requestId) ?? []
        parts[body.seqNo] = open(body.sealed)
        answers.set(body.requestId, parts)
      }
      return [...answers].map(([requestId, parts]) => ({ requestId, data: parts.join('') }))
    },
    async purge(tenant) {
      const old = await documents.list(tenant, { kind, sort1To: clock.now(), limit: 1000 })
      for (const { id } of old) await documents.remove(tenant, kind, id)
      return old.length
    },
  }
}
