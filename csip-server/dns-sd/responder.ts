import { createSocket, type Socket } from 'node:dgram'
import type { Log } from '#core/port/log.js'
import { answerOf, nameOf, questionsOf, serviceOf, textsOf, types, type DnsRecord, type Question } from '#csip-server/dns-sd/message.js'

/** What is announced (SEP-015). */
export interface Announced {
  readonly domain: 'local' | 'site'
  /** Host name without the domain. */
  readonly host: string
  readonly port: number
  /** Path of the DeviceCapability, and in front of every other one. */
  readonly dcap: string
  readonly prefix: string
  readonly addresses: readonly string[]
  readonly endDevice: (sfdi: number) => Promise<string | undefined>
}

const service = '_smartenergy._tcp', ttl = 120
/** Subtypes and the path of the function set that each one asks for; those that this server does not have are not answered. */
const paths: Readonly<Record<string, string>> = { derp: '/derp', dr: '/dr', edev: '/edev', msg: '/msg', mup: '/mup', rsps: '/rsps', sdev: '/sdev', tm: '/tm', tp: '/tp', upt: '/upt' }

/** The records for one question; none when it is not about us. */
export async function recordsFor(question: Question, site: Announced): Promise<{ answers: DnsRecord[]; additional: DnsRecord[] }> {
  const { domain, host, port } = site, type = `${service}.${domain}`, instance = `${host}.${type}`, target = `${host}.${domain}`
  const asked = question.name.toLowerCase(), wants = (t: number): boolean => question.type === t || question.type === types.ANY
  const text = (path?: string): DnsRecord => ({ name: instance, type: types.TXT, ttl, data: textsOf(['txtvers=1', `dcap=${site.dcap}`, ...(path === undefined ? [] : [`path=${path}`]), `https=${port === 443 ? '' : port}`, 'level=-S1']) })
  const where: DnsRecord = { name: instance, type: types.SRV, ttl, data: serviceOf(port, target) }
  const hosts = site.addresses.filter((a) => /^\d+(\.\d+){3}$/.test(a)).map((a): DnsRecord => ({ name: target, type: types.A, ttl, data: Buffer.from(a.split('.').map(Number)) }))
  const pointer = (name: string): DnsRecord => ({ name, type: types.PTR, ttl, data: nameOf(instance) })
  const none = { answers: [], additional: [] }
  if (asked === type && wants(types.PTR)) return { answers: [pointer(type)], additional: [where, text(), ...hosts] }
  const subtype = asked.endsWith(`._sub.${type}`) ? asked.slice(0, -`._sub.${type}`.length).replace(/^_/, '') : undefined
  if (subtype !== undefined && wants(types.PTR)) {
    const sfdi = /^edev-(\d{12})$/.exec(subtype)?.[1], path = sfdi === undefined ? (Object.hasOwn(paths, subtype) ? paths[subtype] : undefined) : await site.endDevice(Number(sfdi))
    return path === undefined ? none : { answers: [pointer(question.name)], additional: [where, text(site.prefix + path), ...hosts] }
  }
  if (asked === instance.toLowerCase()) {
    const answers = [...(wants(types.SRV) ? [where] : []), ...(wants(types.TXT) ? [text()] : [])]
    return { answers, additional: answers.length > 0 ? hosts : [] }
  }
  return asked === target.toLowerCase() && wants(types.A) ? { answers: hosts, additional: [] } : none
}

const group = '224.0.0.251', mdnsPort = 5353

/** Off unless configured. Answers queries of the link; a query from another port than 5353 is answered to its asker alone (RFC 6762 §6.7). */
export async function announce(site: Announced, log: Log, at: { port?: number; address?: string; multicast?: boolean } = {}): Promise<{ readonly port: number; close(): void }> {
  const socket: Socket = createSocket({ type: 'udp4', reuseAddr: true })
  const reply = async (message: Buffer, from: { address: string; port: number }): Promise<void> => {
    for (const question of questionsOf(message) ?? []) {
      const { answers, additional } = await recordsFor(question, site)
      if (answers.length === 0) continue
      const alone = question.unicast || from.port !== mdnsPort || at.multicast === false
      socket.send(answerOf(alone ? message.readUInt16BE(0) : 0, answers, additional), alone ? from.port : mdnsPort, alone ? from.address : group)
    }
  }
  socket.on('message', (message, from) => { reply(message, from).catch((error: unknown) => log.warn({ err: error, clause: 'SEP-015' }, 'a discovery query could not be answered')) })
  socket.on('error', (error) => log.warn({ err: error, clause: 'SEP-015' }, 'discovery by DNS-SD'))
  await new Promise<void>((done, failed) => {
    socket.once('error', failed)
    socket.bind(at.port ?? mdnsPort, at.address, () => {
      socket.off('error', failed)
      try {
        if (at.multicast !== false) socket.addMembership(group)
        done()
      } catch (error) {
        failed(error as Error)
      }
    })
  })
  return { port: socket.address().port, close: () => socket.close() }
}
