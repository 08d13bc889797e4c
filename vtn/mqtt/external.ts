import { connect } from 'mqtt'
import type { Log } from '#core/port/log.js'
import { topicSets } from '#vtn/mqtt/topic.js'

/** A broker of somebody else (Mosquitto, EMQX): we publish, and answer its questions about logins and topics. */
export interface ExternalBroker {
  publish(topic: string, payload: string): Promise<void>
  close(): Promise<void>
}

/** Our own login at the broker may stand in its address; that part is nobody else's to see. */
export function withoutUserinfo(url: string): string {
  const at = new URL(url)
  at.username = ''
  at.password = ''
  return at.href
}

/** The name that we publish under: given, or in the address. */
export const publisherOf = (external: { url: string; username?: string }): string | undefined => external.username ?? (decodeURIComponent(new URL(external.url).username) || undefined)

export function externalBroker(options: { url: string; username?: string; password?: string; ca?: string }, log: Log): ExternalBroker {
  const client = connect(options.url, {
    ...(options.ca === undefined ? {} : { ca: options.ca }), ...(options.username === undefined ? {} : { username: options.username }), ...(options.password === undefined ? {} : { password: options.password }),
    clean: true, reconnectPeriod: 2000, connectTimeout: 10_000, queueQoSZero: false,
  })
  client.on('error', (error) => log.warn({ err: error.message, clause: 'OA-141' }, 'the MQTT broker does not accept us'))
  return {
    // OA-142: while it is away nothing queues up without end; VENs poll.
    publish: async (topic, payload) => { if (client.connected) await client.publishAsync(topic, payload, { qos: 1, retain: false }) },
    close: () => client.endAsync(true),
  }
}

/**
 * OA-141 for a Mosquitto without an HTTP plugin: the lines of its `acl_file`, from what is registered now. Each VEN reads its own topics,
 * business logic reads everything, the VTN alone writes. Logins come from the broker's own password file, user name = clientID.
 */
export function mosquittoAcl(needs: { prefix: string; publisher: string; businessLogic: readonly string[]; vens: readonly { readonly clientID: string; readonly venID: string }[]; publicTopics: boolean }): string {
  const { prefix } = needs
  const own = (venID: string): string[] => [topicSets.ven(venID), topicSets.venEvents(venID), topicSets.venPrograms(venID), topicSets.venResources(venID)]
  const open = needs.publicTopics ? [`topic read ${prefix}programs/+`, `topic read ${prefix}programs/+/+`, `topic read ${prefix}events/programs/+/+`] : []
  // A user name of several words or with a line break would be another line of this file.
  const plain = (name: string): boolean => /^[^\s#]+$/.test(name) && name !== needs.publisher
  return [
    ...open,
    `user ${needs.publisher}`, `topic write ${prefix}#`,
    ...needs.businessLogic.filter(plain).flatMap((id) => [`user ${id}`, `topic read ${prefix}#`]),
    ...needs.vens.filter((v) => plain(v.clientID)).flatMap((v) => [`user ${v.clientID}`, ...own(v.venID).map((set) => `topic read ${prefix}${set}/+`)]),
    '',
  ].join('\n')
}
