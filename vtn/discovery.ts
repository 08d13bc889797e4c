import { isIPv4 } from 'node:net'
import type { Log } from '#core/port/log.js'
import type { Context } from '#vtn/context.js'
import { everybody, kindOf, type Content } from '#vtn/stored.js'
import { serviceType, toTxt, type LocalVtn } from '#vtn/wire/discovery.js'
import { openMdns, type DnsPacket, type DnsRecord, type MdnsOptions } from '#vtn/wire/mdns.js'

export interface Announcement { stop(): Promise<void> }

export interface AnnounceNeeds {
  /** Shown to people; unique on the site. */
  readonly instance: string
  /** A `.local` name of this machine. */
  readonly host: string
  readonly port: number
  readonly addresses: () => readonly string[]
  /** Asked for each answer, so that programs of now are named. */
  readonly say: () => Promise<LocalVtn>
  readonly log: Log
  readonly mdns?: MdnsOptions
}

/** RFC 6762 §10: names of hosts live 2 minutes, everything else 75. */
const hostLife = 120, otherLife = 4500

/** OA-220: answers on the local network who looks for a VTN, says hello at the start and goodbye at the end (RFC 6762 §8.3, §10.1). */
export async function announce(needs: AnnounceNeeds): Promise<Announcement> {
  const { host, log } = needs, instance = `${needs.instance}.${serviceType}`
  const net = await openMdns(needs.mdns)
  const warn = (error: Error): void => log.warn({ err: error.message, clause: 'OA-220' }, 'local discovery')
  net.on('error', warn).on('warning', warn)

  async function records(life = 1): Promise<DnsRecord[]> {
    return [
      { name: '_services._dns-sd._udp.local', type: 'PTR', ttl: otherLife * life, data: serviceType },
      { name: serviceType, type: 'PTR', ttl: otherLife * life, data: instance },
      { name: instance, type: 'SRV', ttl: hostLife * life, flush: true, data: { target: host, port: needs.port } },
      { name: instance, type: 'TXT', ttl: otherLife * life, flush: true, data: toTxt(await needs.say()) },
      ...needs.addresses().map((data): DnsRecord => ({ name: host, type: isIPv4(data) ? 'A' : 'AAAA', ttl: hostLife * life, flush: true, data })),
    ]
  }
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

  net.on('query', ({ questions = [] }: DnsPacket) => {
    void records().then((all) => {
      const answers = all.filter((r) => questions.some((q) => same(q.name, r.name) && (q.type === r.type || q.type === 'ANY')))
      // Who asks for the service gets place and address with it, to save two questions (RFC 6763 §12).
      if (answers.length) net.respond({ answers, additionals: answers.some((a) => a.type === 'PTR' && a.name === serviceType) ? all.filter((r) => r.type !== 'PTR') : [] })
    }).catch(warn)
  })
  net.on('ready', () => void records().then((answers) => net.respond({ answers })).catch(warn))

  return {
    async stop() {
      const answers = await records(0).catch(() => [])
      await new Promise<void>((done) => net.respond({ answers }, () => net.destroy(() => done())))
    },
  }
}

/** What this deployment says of itself; of programs only the names that everybody may see (OA-103). */
export async function localVtn({ documents, config }: Context, machine: { host: string; port: number }): Promise<LocalVtn> {
  const base_path = config.basePath31 ?? '/openadr3/3.1.1', local_url = `https://${machine.host}:${machine.port}${base_path}`
  const programs = await documents.list<Content>(config.tenant, { kind: kindOf.PROGRAM, withAnyTarget: everybody, limit: 50 })
  return { version: '3.1.1', base_path, local_url, program_names: programs.map((p) => String(p.key)), requires_auth: !config.publicReads, openapi_url: `${local_url}/openapi.json` }
}
