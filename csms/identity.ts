import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { CsmsConfig } from './config.js'
import type { Passwords } from './password.js'
import type { Admission, Presented } from './rpc/door.js'
import type { Station } from './station.js'

const field = (subject: string, name: string): string | undefined =>
  subject.split('\n').find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1)

/** The certificate chain as presented, leaf first; empty when there is none, whatever `authorized` says (SEC-006). */
function chainOf(tls: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  let at = tls.getPeerCertificate(true)
  const seen = new Set<string>()
  while (at && at.raw && !seen.has(at.fingerprint256) && chain.length < 6) {
    seen.add(at.fingerprint256)
    chain.push(new X509Certificate(at.raw))
    at = at.issuerCertificate
  }
  return chain
}

export interface CertificateCheck {
  readonly roots: readonly X509Certificate[]
  readonly organizations: readonly string[]
  readonly nowMs: number
  readonly acceptExpired: boolean
}

/** OCPP-027, 028: path to a root of ours, validity, O and CN. Returns the CN, or why not. Serial number is compared by the caller. */
export function checkChain(chain: readonly X509Certificate[], { roots, organizations, nowMs, acceptExpired }: CertificateCheck): { name: string } | { refused: string } {
  const leaf = chain[0]
  if (!leaf) return { refused: 'no certificate' }
  const valid = (c: X509Certificate): boolean => Date.parse(c.validFrom) <= nowMs && nowMs < Date.parse(c.validTo)
  if (leaf.ca) return { refused: 'a CA certificate is no station' }
  if (!acceptExpired && !valid(leaf)) return { refused: 'the certificate is expired or not valid yet' }
  let at = leaf
  for (let depth = 0; ; depth += 1) {
    const below = at
    const root = roots.find((r) => below.checkIssued(r) && below.verify(r.publicKey))
    if (root) {
      if (!valid(root)) return { refused: 'the root is not valid' }
      break
    }
    const issuer = chain.find((c) => c !== below && c.ca && below.checkIssued(c) && below.verify(c.publicKey))
    if (!issuer || depth > 4) return { refused: 'no path to a trusted root' }
    if (!valid(issuer)) return { refused: 'an issuer is not valid' }
    at = issuer
  }
  const organization = field(leaf.subject, 'O'), name = field(leaf.subject, 'CN')
  if (organization === undefined || !organizations.includes(organization)) return { refused: 'another organization' }
  return name === undefined ? { refused: 'no name' } : { name }
}

/**
 * A station's login (OCPP §1, §2): identity known, security profile, credentials. The identity is the URL's, and the credential
 * must be that identity's own (SEC-004). An unknown one costs the same work as a wrong password (SEC-001).
 */
export function login({ passwords, config, nowMs, find, enrol }: {
  passwords: Passwords
  config: CsmsConfig
  nowMs: () => number
  find(tenant: string, identity: string): Promise<Station | undefined>
  /** Makes a station that no one registered, under the admission policies that allow it (OCPP-087). */
  enrol(tenant: string, identity: string, password: string | undefined): Promise<Station>
}): (presented: Presented) => Promise<Admission> {
  const roots = config.stationRoots.map((pem) => new X509Certificate(pem))
  const refused: Admission = { admitted: false, status: 401 }

  async function byPassword(station: Station, presented: Presented): Promise<boolean> {
    const { record } = station, { password } = presented
    // OCPP-022: user name = identity. The password is compared all the same, for the time that takes.
    const named = presented.user === presented.identity && !presented.identity.includes(':')
    const candidates = password === undefined ? [Buffer.alloc(0)] : record.legacyKey ? [password, Buffer.from(password.toString('hex'))] : [password]
    let right = false
    for (const candidate of candidates) {
      right = await passwords.verify(station.identity, record.password, candidate) || right
      // OCPP-034: both work while a change is undecided.
      if (record.nextPassword) right = await passwords.verify(station.identity, record.nextPassword, candidate) || right
    }
    return right && named && password !== undefined
  }

  function byCertificate(station: Station, tls: TLSSocket): boolean {
    const check = checkChain(chainOf(tls), { roots, organizations: config.organizations, nowMs: nowMs(), acceptExpired: station.record.acceptExpired ?? false })
    if (!('name' in check) || check.name !== (station.record.serialNumber ?? station.identity)) return false
    station.certificateName = check.name
    return true
  }

  /** The profile of this connection, if the station may use it and proved who it is; the certificate counts before the password. */
  async function profileOf(station: Station, presented: Presented): Promise<number | undefined> {
    const may = (profile: number): boolean => station.record.securityProfiles.includes(profile) || station.record.upgradingTo === profile
    if (presented.tls && may(3) && byCertificate(station, presented.tls)) return 3
    const basic = presented.tls ? 2 : 1
    if (await byPassword(station, presented) && may(basic)) return basic
    return config.allowUnsecured && may(0) ? 0 : undefined
  }

  return async (presented) => {
    let station = await find(presented.tenant, presented.identity)
    if (!station) {
      await passwords.verify(presented.identity, undefined, presented.password ?? Buffer.alloc(0))
      if (config.admission === 'registered') return config.hideIdentities ? refused : { admitted: false, status: 404 }
      if (presented.user !== presented.identity || (presented.password?.length ?? 0) < 16) return refused
      station = await enrol(presented.tenant, presented.identity, presented.password?.toString('utf8'))
    }
    const profile = await profileOf(station, presented)
    if (profile === undefined) return refused
    station.profileInUse = profile
    if (profile !== 3) station.certificateName = undefined
    return { admitted: true, versions: station.record.versions, session: station.session }
  }
}
