import type { EventEmitter } from 'node:events'

/** The part of multicast-dns that discovery uses; the package brings no types of its own, and is loaded only by who looks or announces. */
export interface Question { readonly name: string; readonly type: string }
export type DnsRecord = { readonly name: string; readonly ttl?: number; readonly flush?: boolean } & (
  | { readonly type: 'PTR' | 'A' | 'AAAA'; readonly data: string }
  | { readonly type: 'SRV'; readonly data: { readonly target: string; readonly port: number; readonly priority?: number; readonly weight?: number } }
  | { readonly type: 'TXT'; readonly data: readonly (string | Uint8Array)[] }
)
export interface DnsPacket { readonly questions?: readonly Question[]; readonly answers?: readonly DnsRecord[]; readonly additionals?: readonly DnsRecord[] }

export interface Mdns extends EventEmitter {
  query(packet: DnsPacket): void
  respond(packet: DnsPacket, done?: (error?: Error | null) => void): void
  destroy(done?: () => void): void
}
export interface MdnsOptions { readonly port?: number; readonly interface?: string; readonly bind?: string }

export async function openMdns(options?: MdnsOptions): Promise<Mdns> {
  const { default: open } = await import('multicast-dns' as string) as { default: (options?: MdnsOptions) => Mdns }
  return open(options)
}
