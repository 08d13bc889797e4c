import { X509Certificate } from 'node:crypto'
import http from 'node:http'
import { BlockList, isIP } from 'node:net'
import { isLfdi, lfdiOf, sfdiOf } from '#certs/lfdi.js'
import type { ProxyConfig } from '#csip-server/config.js'
import { faultAnswer } from '#csip-server/door.js'
import { reason } from '#csip-server/error-map.js'
import { devicePeer } from '#csip-server/identity.js'
import { send, serveKnown, type ListenerNeeds } from '#csip-server/listener.js'

/**
 * SEP-013: behind a proxy that ends TLS. The identity is in one configured header, and only a configured address may say it; the proxy
 * must strip the header from what clients send. Of a whole certificate (form `pem`) the profile is judged as on the mTLS door;
 * of a fingerprint or an LFDI there is nothing left to judge but the register.
 */
export function makeProxyListener(needs: ListenerNeeds, proxy: ProxyConfig): http.Server {
  const trusted = listOf(proxy.from)
  const server = http.createServer({ keepAliveTimeout: needs.config.keepAlive_s * 1000, headersTimeout: 15_000, requestTimeout: 30_000, maxHeaderSize: 32_768, noDelay: true }, (req, res) => {
    const lfdi = trusted(req.socket.remoteAddress ?? '') ? told(needs, proxy, req.headers[proxy.header]) : undefined
    if (lfdi === undefined || needs.isRevoked(lfdi)) {
      needs.log.warn({ address: req.socket.remoteAddress, clause: 'SEP-013' }, 'csip proxy request without a usable identity')
      send(needs, req, res, faultAnswer(needs.door.codec, { status: 403, reasonCode: reason.format }))
      return
    }
    serveKnown(needs, devicePeer(lfdi, sfdiOf(lfdi)), req, res)
  })
  server.timeout = 0
  return server
}

function told(needs: ListenerNeeds, { form }: ProxyConfig, header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string' || header === '') return undefined
  if (form === 'pem') {
    try {
      const der = new X509Certificate(decodeURIComponent(header)).raw
      return needs.checkLeaf(der, [der]).ok ? lfdiOf(der) : undefined
    } catch { return undefined }
  }
  const hex = header.replaceAll(':', '').toUpperCase()
  const lfdi = form === 'sha256' && /^[0-9A-F]{64}$/.test(hex) ? hex.slice(0, 40) : form === 'lfdi' ? hex : ''
  return isLfdi(lfdi) ? lfdi : undefined
}

/** Addresses and networks (`10.0.0.0/8`). */
function listOf(from: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const entry of from) {
    const [address = '', bits] = entry.split('/'), family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return (raw) => { const address = raw.replace(/^::ffff:/, ''); return isIP(address) > 0 && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4') }
}
