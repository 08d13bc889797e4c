import type { DocumentStore } from '#core/port/store/document.js'
import type { VtnCaller } from '#vtn/identity.js'
import { kindOf, type Content } from '#vtn/stored.js'
import { askedBy, type Asked } from '#vtn/mqtt/topic.js'

/** Who may hear what, for the embedded broker, the callbacks of another one, and the topic endpoints alike (OA-138, OA-141). */
export interface TopicAccess {
  maySubscribe(caller: VtnCaller, pattern: string): Promise<boolean>
  mayHear(caller: VtnCaller, asked: Asked | undefined): Promise<boolean>
}

export function topicAccess(needs: { documents: DocumentStore; tenant: string; prefix: string; publicTopics: boolean }): TopicAccess {
  const { documents, tenant, prefix, publicTopics } = needs

  async function mayHear(caller: VtnCaller, asked: Asked | undefined): Promise<boolean> {
    if (caller.scopes.has('read_all')) return true
    if (!asked || asked.whose === 'all') return false
    if (asked.whose === 'program') return publicTopics && caller.scopes.has('read_targets')
    if (!caller.scopes.has('read_ven_objects')) return false
    const ven = await documents.get<Content>(tenant, kindOf.VEN, asked.id)
    return ven !== undefined && ven.owner === caller.subject && caller.subject !== ''
  }
  return {
    mayHear,
    // `#` and wide patterns are business logic's; a VEN names its own sets.
    maySubscribe: (caller, pattern) => (caller.scopes.has('read_all') ? Promise.resolve(pattern.startsWith(prefix) || pattern === '#') : mayHear(caller, askedBy(prefix, pattern))),
  }
}
