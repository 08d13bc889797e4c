import http from 'node:http'
import https from 'node:https'
import type { PeerCertificate } from 'node:tls'
import { checkServerIdentity } from 'node:tls'
import { resolve } from '#csip-server/notify/destination.js'
import type { CsipConfig } from '#csip-server/config.js'
import type { TlsMaterial } from '#csip-server/tls.js'

/** What became of one attempt (SEP-157). */
export type Posted = { readonly outcome: 'delivered' | 'rejected' | 'gone' | 'failed'; readonly detail: string }

export interface Poster {
  post(uri: string, body: Buffer): Promise<Posted>
  close(): void
}

const timeout_ms = 10_000
/** To one host at once: as many as there are workers, so that a far receiver of many subscriptions is not served eight at a time. */
const sockets = 32

/** SEP-012: a device certificate without a host name is known by its chain; any other must name the host. */
const identity = (host: string, certificate: PeerCertificate): Error | undefined =>
  /(^|, )DNS:|(^|, )IP Address:/.test(certificate.subjectaltname ?? '') ? checkServerIdentity(host, certificate) : undefined

export function makePoster(config: Pick<CsipConfig, 'tls' | 'notifyAllow'>, material: () => TlsMaterial): Poster {
  let known: { readonly tls: TlsMaterial; readonly agent: https.Agent } | undefined
  const plain = new http.Agent({ keepAlive: true, maxSockets: sockets })
  const secure = (): https.Agent => {
    const tls = material()
    if (known?.tls === tls) return known.agent
    // SEP-212: after a reload the next notification shows the new certificate and believes the new roots; what is under way comes to its end
    if (known) retire(known.agent)
    const agent = new https.Agent({
      keepAlive: true, maxSockets: sockets, maxFreeSockets: 64, key: tls.key, cert: tls.cert, ca: [...tls.ca], minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2',
      ciphers: config.tls === 'strict' ? 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0' : 'ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0',
      ecdhCurve: 'prime256v1', checkServerIdentity: identity,
    })
    known = { tls, agent }
    return agent
  }
  return {
    async post(uri, body) {
      const to = await resolve(uri, config.notifyAllow)
      if (!to) return { outcome: 'rejected', detail: 'the destination is not allowed' }
      const isTls = to.url.protocol === 'https:'
      return new Promise((done) => {
        const req = (isTls ? https : http).request(to.url, {
          method: 'POST', agent: isTls ? secure() : plain, timeout: timeout_ms,
          headers: { 'Content-Type': 'application/sep+xml', 'Content-Length': body.length },
          // The checked address is the one that is connected to (SEC-060: no second look-up).
          lookup: (_host, options, callback) => {
            if (options.all) (callback as unknown as (e: null, a: { address: string; family: number }[]) => void)(null, [{ address: to.address, family: to.family }])
            else callback(null, to.address, to.family)
          },
        }, (res) => {
          let size = 0
          res.on('data', (part: Buffer) => { size += part.length; if (size > 65_536) req.destroy() })
          res.on('end', () => done(judged(res.statusCode ?? 0)))
          res.on('error', () => done({ outcome: 'failed', detail: 'the answer broke off' }))
        })
        req.on('timeout', () => req.destroy(new Error('timeout')))
        req.on('error', (error) => done({ outcome: 'failed', detail: error.message }))
        req.end(body)
      })
    },
    close() {
      plain.destroy()
      known?.agent.destroy()
    },
  }
}

/** Its idle connections end now, the others when they have been answered. */
function retire(agent: https.Agent): void {
  agent.maxFreeSockets = 0
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
}

/** SEP-157: redirects are not followed and count as a refusal. */
function judged(status: number): Posted {
  const detail = String(status)
  if (status >= 200 && status < 300) return { outcome: 'delivered', detail }
  if (status === 404 || status === 410) return { outcome: 'gone', detail }
  return { outcome: status >= 500 || status === 408 || status === 429 ? 'failed' : 'rejected', detail }
}
