import { systemClock, type Clock } from '#core/port/clock.js'
import { fromTxt, serviceType, type LocalVtn } from '#vtn/wire/discovery.js'
import { openMdns, type DnsPacket, type DnsRecord, type MdnsOptions } from '#vtn/wire/mdns.js'

/** A VTN that answered on the local network. */
export interface FoundVtn extends Partial<LocalVtn> {
  readonly instance: string
  /** What to give to `vtnClient`: by the `.local` name, since addresses change (OA-212). */
  readonly url: string
  readonly host: string
  readonly port: number
  readonly addresses: readonly string[]
}

export interface DiscoverOptions {
  /** How long to listen; default 3 s. */
  readonly within_ms?: number
  readonly clock?: Clock
  readonly signal?: AbortSignal
  readonly mdns?: MdnsOptions
}

/** OA-212: asks the local network for VTNs (OpenADR 3.1 User Guide, local VTN) and answers those that were heard in time. */
export async function discoverVtns(options: DiscoverOptions = {}): Promise<readonly FoundVtn[]> {
  const clock = options.clock ?? systemClock, within = options.within_ms ?? 3000
  const net = await openMdns(options.mdns), heard: DnsRecord[] = []
  const ask = (): void => net.query({ questions: [{ name: serviceType, type: 'PTR' }] })
  net.on('warning', () => undefined)
  net.on('response', ({ answers = [], additionals = [] }: DnsPacket) => heard.push(...answers, ...additionals))
  try {
    await new Promise<void>((done, fail) => {
      net.on('error', fail).on('ready', ask)
      // RFC 6762 §5.2: a question that got lost is asked again.
      const again = clock.after(within / 3, ask), end = clock.after(within, done)
      const stop = (): void => { again.cancel(); end.cancel(); done() }
      if (options.signal?.aborted) stop()
      else options.signal?.addEventListener('abort', stop, { once: true })
    })
  } finally {
    await new Promise<void>((done) => net.destroy(() => done()))
  }
  return vtnsOf(heard)
}

/** What the records say, the last word of each counting; a time to live of 0 is a goodbye (RFC 6762 §10.1). */
export function vtnsOf(heard: readonly DnsRecord[]): FoundVtn[] {
  const last = new Map<string, DnsRecord>()
  for (const r of heard) last.set(`${r.type} ${r.name.toLowerCase()} ${r.type === 'SRV' || r.type === 'TXT' ? '' : r.data}`, r)
  const alive = [...last.values()].filter((r) => r.ttl !== 0)
  return alive.flatMap((ptr): FoundVtn[] => {
    if (ptr.type !== 'PTR' || ptr.name.toLowerCase() !== serviceType) return []
    const of = (type: string, name: string): DnsRecord[] => alive.filter((r) => r.type === type && r.name.toLowerCase() === name.toLowerCase())
    const [srv] = of('SRV', ptr.data), [txt] = of('TXT', ptr.data)
    if (srv?.type !== 'SRV') return []
    const said = txt?.type === 'TXT' ? fromTxt(txt.data) : {}, { target: host, port } = srv.data
    const addresses = ['A', 'AAAA'].flatMap((type) => of(type, host)).map((r) => String(r.data))
    return [{ ...said, instance: ptr.data.slice(0, -serviceType.length - 1), host, port, addresses, url: urlOf(said, host, port) }]
  })
}

const isLocal = (host: string): boolean => /\.local\.?$/i.test(host)

/** The announced address where it is https and has a `.local` name; else one made of the service's own name (OA-001, OA-212). */
function urlOf(said: Partial<LocalVtn>, host: string, port: number): string {
  const given = said.local_url !== undefined && URL.canParse(said.local_url) ? new URL(said.local_url) : undefined
  const good = given?.protocol === 'https:' && (isLocal(given.hostname) || !isLocal(host))
  const path = `/${(said.base_path ?? given?.pathname ?? '').replace(/^\/+|\/+$/g, '')}`
  return (good ? given.href : `https://${host.replace(/\.$/, '')}:${port}${path}`).replace(/\/$/, '')
}
