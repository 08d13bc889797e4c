import { BlockList, isIP } from 'node:net'

/** Networks that no webhook may reach (OA-128): loopback, private, link-local, CGNAT, multicast, documentation, reserved. */
const forbidden = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24],
  ['192.88.99.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 4], ['240.0.0.0', 4],
] as const) forbidden.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of [
  ['::', 128], ['::1', 128], ['64:ff9b::', 96], ['64:ff9b:1::', 48], ['100::', 64], ['2001::', 23], ['2001:db8::', 32], ['2002::', 16], ['fc00::', 7], ['fe80::', 10], ['fec0::', 10], ['ff00::', 8],
] as const) forbidden.addSubnet(net, bits, 'ipv6')

/** An IPv4 address inside an IPv6 one counts as itself. */
function inner(address: string): string {
  const dotted = /^(?:::ffff:|::)(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (dotted?.[1]) return dotted[1]
  const hex = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address)
  if (!hex) return address
  const high = Number.parseInt(hex[1] as string, 16), low = Number.parseInt(hex[2] as string, 16)
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
}

export interface AddressRule {
  /** False when a connection to this address must not be made for this host name. */
  allows(host: string, address: string): boolean
}

/** `allow`: host names, addresses or CIDR blocks of private networks that the operator opens. */
export function addressRule(allow: readonly string[] = []): AddressRule {
  const open = new BlockList(), names = new Set<string>()
  for (const entry of allow) {
    const [net, bits] = entry.split('/')
    const family = isIP(net ?? '')
    if (family === 0) names.add(entry.toLowerCase())
    else if (bits === undefined) open.addAddress(net as string, family === 4 ? 'ipv4' : 'ipv6')
    else open.addSubnet(net as string, Number(bits), family === 4 ? 'ipv4' : 'ipv6')
  }
  return {
    allows(host, raw) {
      if (names.has(host.toLowerCase())) return true
      const address = inner(raw), family = isIP(address)
      if (family === 0) return false
      const kind = family === 4 ? 'ipv4' : 'ipv6'
      return open.check(address, kind) || !forbidden.check(address, kind)
    },
  }
}
