import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'

/** Ranges that no stranger may make us connect to (SEC-060): this machine, private and link-local networks, multicast, documentation. */
const inner = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24],
  ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 4], ['240.0.0.0', 4],
] as const) inner.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of [['::', 128], ['::1', 128], ['64:ff9b::', 96], ['100::', 64], ['2001:db8::', 32], ['2002::', 16], ['fc00::', 7], ['fe80::', 10], ['ff00::', 8]] as const) inner.addSubnet(net, bits, 'ipv6')

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

export interface Destination {
  readonly url: URL
  /** The address that was checked: the connection goes there and nowhere else, so that a name cannot move in between. */
  readonly address: string
  readonly family: 4 | 6
}

const bare = (host: string): string => host.replace(/^\[|\]$/g, '')
const familyOf = (address: string): 'ipv4' | 'ipv6' => isIP(address) === 6 ? 'ipv6' : 'ipv4'
/** An IPv4 address in IPv6 clothes is judged as what it is. */
const unmapped = (address: string): string => {
  const dotted = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  const hex = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address)
  if (dotted) return dotted
  if (!hex) return address
  const high = Number.parseInt(hex[1] as string, 16), low = Number.parseInt(hex[2] as string, 16)
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
}

/** SEP-159: a host on the allow list, or an address in public ranges; https, or http to an allowed loopback address in development. */
export async function resolve(uri: string, allow: readonly string[]): Promise<Destination | undefined> {
  const url = parsed(uri)
  if (!url) return undefined
  const host = bare(url.hostname)
  const found = await addressesOf(host)
  if (found.length === 0) return undefined
  const allowed = (address: string): boolean => allow.includes(host) || allow.includes(address)
  for (const { address: raw } of found) {
    const address = unmapped(raw), family = familyOf(address)
    if (inner.check(address, family) && !allowed(address)) return undefined
    if (url.protocol === 'http:' && !(loopback.check(address, family) && allowed(address))) return undefined
  }
  const first = found[0] as { address: string; family: number }
  return { url, address: first.address, family: first.family === 6 ? 6 : 4 }
}

function parsed(uri: string): URL | undefined {
  try {
    const url = new URL(uri)
    return (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '' && url.password === '' && url.hostname !== '' ? url : undefined
  } catch {
    return undefined
  }
}

async function addressesOf(host: string): Promise<{ address: string; family: number }[]> {
  const family = isIP(host)
  if (family > 0) return [{ address: host, family }]
  try { return await lookup(host, { all: true, verbatim: true }) } catch { return [] }
}

/**
 * For the moment of subscribing: the form and every address that the name has now. Interpretation: a name that does not
 * resolve yet is taken; each delivery asks again before it connects.
 */
export async function mayBeNotified(uri: string, allow: readonly string[]): Promise<boolean> {
  const url = parsed(uri)
  if (!url) return false
  const host = bare(url.hostname)
  if (isIP(host) === 0 && (await addressesOf(host)).length === 0) return url.protocol === 'https:'
  return (await resolve(uri, allow)) !== undefined
}
