import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { certificatesFrom, checkStationCertificate, trustOf } from '#certs/index.js'
import type { CsmsConfig } from './config.js'
import type { Passwords } from './password.js'
import type { Admission, Presented } from './rpc/door.js'
import type { Station } from './station.js'

/** The certificates as presented, DER, leaf first; empty when there is none, whatever `authorized` says (SEC-006). */
function chainOf(tls: TLSSocket): Buffer[] {
  const chain: Buffer[] = []
  const seen = new Set<string>()
  let at = tls.getPeerCertificate(true)
  while (at && at.raw && !seen.has(at.fingerprint256) && chain.length < 6) {
    seen.add(at.fingerprint256)
    chain.push(at.raw)
    at = at.issuerCertificate
  }
  return chain
}

/**
 * A station's login (OCPP §1, §2): identity known, security profile, credentials. The identity is the URL's, and the credential
 * must be that identity's own (SEC-004). An unknown one costs the same work as a wrong password (SEC-001).
 */
export function login({ passwords, config, nowMs, find, glance, enrol, revoked }: {
  passwords: Passwords
  config: CsmsConfig
  nowMs: () => number
  find(tenant: string, identity: string): Promise<Station | undefined>
  /** Looks a station up in the store, whatever is known of it. */
  glance(tenant: string, identity: string): Promise<unknown>
  /** Makes a station that no one registered, under the admission policies that allow it (OCPP-087). */
  enrol(tenant: string, identity: string, password: string | undefined): Promise<Station>
  /** Is the certificate with this fingerprint blocked? */
  revoked?: (fingerprint: string) => boolean
}): (presented: Presented) => Promise<Admission> {
  const trust = trustOf(...config.stationRoots)
  const refused: Admission = { admitted: false, status: 401 }

  async function byPassword(station: Station, presented: Presented): Promise<boolean> {
    const { record } = station, { password } = presented
    // OCPP-022: user name = identity. The password is compared all the same, for the time that takes.
    const named = presented.user === presented.identity && !presented.identity.includes(':')
    // Who shows no password costs no work, whoever it names.
    if (password === undefined) return false
    const candidates = record.legacyKey ? [password, Buffer.from(password.toString('hex'))] : [password]
    let right = false
    for (const candidate of candidates) {
      right = await passwords.verify(station.identity, record.password, candidate) || right
      // OCPP-034: both work while a change is undecided.
      if (record.nextPassword) right = await passwords.verify(station.identity, record.nextPassword, candidate) || right
    }
    return right && named
  }

  /** OCPP-033: a header counts only from an address on the list, and only when that proxy has itself shown a certificate of ours. */
  function throughProxy({ address, forwarded }: Presented, tls: TLSSocket): Buffer[] | undefined {
    if (forwarded === undefined || !config.proxies.includes(address.replace(/^::ffff:/, ''))) return undefined
    const [leaf, ...sent] = chainOf(tls)
    const known = leaf && config.organizations.some((organization) => checkStationCertificate(leaf, { trust, sent, organization, nowMs: nowMs(), ...(revoked ? { blocked: revoked } : {}) }).ok)
    if (!known) return []
    try {
      return certificatesFrom(forwarded)
    } catch {
      return []
    }
  }

  /** OCPP-027…029: path to a root of ours, validity, revocation, O one of ours, CN the registered serial number. */
  function byCertificate(station: Station, presented: Presented, tls: TLSSocket): boolean {
    const [leaf, ...sent] = throughProxy(presented, tls) ?? chainOf(tls)
    if (!leaf) return false
    for (const organization of config.organizations) {
      const check = checkStationCertificate(leaf, {
        trust, sent, organization, nowMs: nowMs(), serialNumber: station.record.serialNumber ?? station.identity,
        ...(revoked ? { blocked: revoked } : {}), ...(station.record.acceptExpired ? { acceptExpired: true } : {}),
      })
      if (!check.ok) continue
      station.certificateName = check.commonName
      station.certificate = {
        fingerprint: check.fingerprint, notAfterMs: station.record.acceptExpired ? Infinity : check.notAfterMs, expired: check.expired,
        serialNumber: new X509Certificate(leaf).serialNumber.replace(/^0+/, ''),
      }
      return true
    }
    return false
  }

  /** The profile of this connection, if the station may use it and proved who it is; the certificate counts before the password. */
  async function profileOf(station: Station, presented: Presented): Promise<number | undefined> {
    const may = (profile: number): boolean => station.record.securityProfiles.includes(profile) || station.record.upgradingTo === profile
    if (presented.tls && may(3) && byCertificate(station, presented, presented.tls)) return 3
    const basic = presented.tls ? 2 : 1
    if (await byPassword(station, presented) && may(basic)) return basic
    return config.allowUnsecured && may(0) ? 0 : undefined
  }

  return async (presented) => {
    let station = await find(presented.tenant, presented.identity)
    if (!station) {
      if (presented.password) await passwords.verify(presented.identity, undefined, presented.password)
      if (config.admission === 'registered') return config.hideIdentities ? refused : { admitted: false, status: 404 }
      if (presented.user !== presented.identity || (presented.password?.length ?? 0) < 16) return refused
      station = await enrol(presented.tenant, presented.identity, presented.password?.toString('utf8'))
    }
    const profile = await profileOf(station, presented)
    if (profile === undefined) {
      // SEC-001: an unknown name has cost a look into the store, so a known one that is refused costs it too.
      await glance(presented.tenant, presented.identity)
      return refused
    }
    station.profileInUse = profile
    if (profile !== 3) station.certificateName = station.certificate = undefined
    return { admitted: true, versions: station.record.versions, session: station.session }
  }
}
