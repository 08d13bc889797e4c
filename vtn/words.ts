import type { FastifyRequest } from 'fastify'
import type { Clock } from '#core/port/clock.js'
import type { DocumentStore } from '#core/port/store/document.js'
import type { Exchange, Said } from '#core/words/last-words.js'
import type { VtnCaller } from '#vtn/identity.js'
import { kindOf } from '#vtn/stored.js'

export type Words = (venName: string, said: Exchange) => void

/** Tells what VENs say and hear, under their venName: the name that the rest of Loadstone knows a VEN by (UX-049). */
export function venWords(documents: DocumentStore, tenant: string, clock: Clock, words: Words) {
  const names = new Map<string, string>()
  let revision = -1
  async function nameOf(clientID: string): Promise<string | undefined> {
    const now = documents.revision(tenant, kindOf.VEN)
    if (now !== revision) { names.clear(); revision = now }
    const known = names.get(clientID)
    if (known !== undefined) return known
    const [ven] = await documents.list(tenant, { kind: kindOf.VEN, owner: clientID, limit: 1 })
    if (ven?.key) names.set(clientID, ven.key)
    return ven?.key ?? undefined
  }
  return (caller: VtnCaller, request: FastifyRequest, status: number, payload: unknown): void => {
    if (caller.role !== 'VEN') return
    const said: Exchange = { at: clock.nowMs(), request: `${request.method} ${request.url}`, body: request.body as Said, status, answer: typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : undefined }
    // who it is may have to be asked; the answer does not wait for that, and a lost word is no harm
    nameOf(caller.subject).then((name) => { if (name !== undefined) words(name, said) }, () => undefined)
  }
}
