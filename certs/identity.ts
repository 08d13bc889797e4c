import type { TLSSocket } from 'node:tls'
import { Refusal } from '#core/error.js'
import type { Clock } from '#core/port/clock.js'
import { lfdiOf } from '#certs/lfdi.js'
import { checkDeviceCertificate } from '#certs/profile/device.js'
import type { DoorProfile, RefusedDevice } from '#certs/profile/device.js'
import type { Trust } from '#certs/profile/trust.js'
import type { Requester } from '#certs/enrol.js'
import type { CertificateRegistry } from '#certs/registry.js'
import { penOf } from '#certs/vendor.js'
import type { Vendors } from '#certs/vendor.js'
import { readCertificate } from '#certs/x509/certificate.js'

export interface IdentityNeeds {
  readonly vendors: Vendors
  readonly registry: CertificateRegistry
  readonly trust: () => Trust
  readonly profile: DoorProfile
  readonly production: boolean
  readonly clock: Clock
}

/**
 * Who speaks (SEP-223). The peer certificate is looked at afresh on every request; `socket.authorized` is never asked,
 * since a resumed session may say yes without any certificate (SEC-006). TLS has proved possession of its key.
 */
export function estIdentity(needs: IdentityNeeds) {
  const check = (der: Buffer) => checkDeviceCertificate(der, {
    profile: needs.profile, trust: needs.trust(), nowMs: needs.clock.nowMs(), production: needs.production, blocked: needs.registry.isBlocked,
  })
  const vendorOf = async (der: Buffer): Promise<Requester | undefined> => {
    const fingerprint = lfdiOf(der), vendor = await needs.vendors.byFingerprint(fingerprint)
    if (!vendor) return undefined
    const { notBeforeMs, notAfterMs } = readCertificate(der), now = needs.clock.nowMs()
    if (now < notBeforeMs || now > notAfterMs || needs.registry.isBlocked(fingerprint)) throw new Refusal('forbidden', 'the vendor certificate is expired, not yet valid or revoked')
    return { kind: 'vendor', vendor }
  }

  return {
    /** For simpleenroll and batches. */
    async requester(socket: TLSSocket, authorization: string | undefined): Promise<Requester> {
      const der = peerOf(socket)
      if (der) {
        const vendor = await vendorOf(der)
        if (vendor) return vendor
        const device = check(der)
        if (device.ok) {
          const maker = await needs.vendors.byPen(penOf(device.hwType ?? '') ?? -1)
          if (!maker) throw new Refusal('forbidden', 'the manufacturer of this certificate is not accepted here')
          return { kind: 'device', vendor: maker, device }
        }
        if (!authorization) throw new Refusal('unauthenticated', `the client certificate is refused: ${sentences(device)}`)
      }
      const basic = basicOf(authorization)
      const found = basic && await needs.vendors.secret(basic.user, basic.password)
      const vendor = found && await needs.vendors.get(found.body.vendor)
      if (!found || !vendor?.active) throw new Refusal('unauthenticated', 'a vendor certificate, a device certificate or a one-time secret is needed')
      return { kind: 'secret', vendor, id: found.id, secret: found.body }
    },

    /** SEP-227, SEC-022: simplereenroll is for the holder of a good device certificate only. */
    async current(socket: TLSSocket, authorization: string | undefined) {
      const der = peerOf(socket)
      if (!der) throw new Refusal(authorization ? 'forbidden' : 'unauthenticated', 'simplereenroll needs the current device certificate in TLS')
      if (await needs.vendors.byFingerprint(lfdiOf(der))) throw new Refusal('forbidden', 'a vendor certificate cannot be renewed here')
      const device = check(der)
      if (!device.ok) throw new Refusal('forbidden', `the current certificate is refused: ${sentences(device)}`)
      return { device, certificate: der }
    },
  }
}

/** DER of what the peer presented in this session; undefined for none. */
export function peerOf(socket: TLSSocket): Buffer | undefined {
  const raw = socket.getPeerX509Certificate?.()?.raw
  return raw && raw.length > 0 ? raw : undefined
}

const sentences = (refused: RefusedDevice): string => refused.failures.map((f) => `${f.sentence} (${f.clause})`).join(' ')

function basicOf(authorization: string | undefined): { readonly user: string; readonly password: string } | undefined {
  const found = /^basic +([A-Za-z0-9+/]+=*) *$/i.exec(authorization ?? '')
  if (!found || found[1]!.length > 1_024) return undefined
  const text = Buffer.from(found[1]!, 'base64').toString('utf8'), colon = text.indexOf(':')
  return colon < 1 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) }
}
