import { constants } from 'node:crypto'
import type https from 'node:https'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { CsipConfig } from '#csip-server/config.js'

export interface TlsMaterial {
  readonly key: string | Buffer
  /** Leaf first, then intermediates; the chain sent excludes the root (SEP-210). */
  readonly cert: string | Buffer
  /** Trusted roots, and intermediates for clients that send only their leaf (SEP-205). */
  readonly ca: readonly (string | Buffer)[]
  /** Self-signed certificates that may come to this door (SEP-208): TLS lets them through to `checkLeaf`, which alone says yes. Never trusted as a server's. */
  readonly pinned?: readonly (string | Buffer)[]
  /** An ordinary certificate for clients that ask for one of these names (SEP-210); everybody else gets the one above. */
  readonly named?: { readonly hosts: readonly string[]; readonly key: string | Buffer; readonly cert: string | Buffer }
}

const strict = 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0'
const compatible = 'ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0'

/** SEP-001…003: all that makes a context, at the start and at a reload alike: node:tls forgets on `setSecureContext` what is not said again. */
export const contextOf = (tls: TlsMaterial, config: Pick<CsipConfig, 'tls'>): SecureContextOptions => ({
  key: tls.key, cert: tls.cert, ca: [...tls.ca, ...tls.pinned ?? []],
  // of several self-signed ones with the same name (or none) OpenSSL finds the right one only as a trusted leaf; the way to a root is checkLeaf's matter (SEP-204)
  ...(tls.pinned?.length ? { allowPartialTrustChain: true } : {}),
  minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: config.tls === 'strict' ? strict : compatible, honorCipherOrder: true,
  ecdhCurve: 'prime256v1', sigalgs: 'ecdsa_secp256r1_sha256',
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION, // SEC-005
  sessionIdContext: 'csip', // SEC-006
})

/**
 * node:tls (20 … 24) makes a server's context without `allowPartialTrustChain`: a server with pinned devices is handed one that has it. Were it
 * not taken, of pinned certificates with one name only the first would be let in: fewer, never more.
 */
export function letPinnedIn(server: https.Server, options: SecureContextOptions): void {
  if (options.allowPartialTrustChain) (server as unknown as { _sharedCreds: SecureContext })._sharedCreds = createSecureContext(options)
}

/** SEP-210: trust and suites are the door's, the certificate is another. */
export function namedContexts(tls: TlsMaterial, config: CsipConfig): ReadonlyMap<string, SecureContext> {
  const { named } = tls
  return new Map(named?.hosts.map((host) => [host.toLowerCase(), createSecureContext(contextOf({ ...tls, key: named.key, cert: named.cert }, config))]))
}
