import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** An authenticator in software, for tests: WebAuthn Level 3 §6, ES256, attestation `none`. Writes only the CBOR that this needs. */
const b64 = (bytes: Buffer): string => bytes.toString('base64url')
const head = (major: number, n: number): Buffer => (n < 24 ? Buffer.from([(major << 5) | n]) : n < 256 ? Buffer.from([(major << 5) | 24, n]) : Buffer.from([(major << 5) | 25, n >> 8, n & 255]))
const int = (n: number): Buffer => (n < 0 ? head(1, -1 - n) : head(0, n))
const bytes = (b: Buffer): Buffer => Buffer.concat([head(2, b.length), b])
const words = (s: string): Buffer => Buffer.concat([head(3, Buffer.byteLength(s)), Buffer.from(s)])
const map = (...pairs: [Buffer, Buffer][]): Buffer => Buffer.concat([head(5, pairs.length), ...pairs.flat()])

export interface Misdeed { readonly origin?: string; readonly verified?: boolean; readonly counter?: number; readonly spoil?: boolean }

export function softKey(origin: string, rpID: string) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' }), id = randomBytes(32), { x, y } = publicKey.export({ format: 'jwk' })
  const cose = map([int(1), int(2)], [int(3), int(-7)], [int(-1), int(1)], [int(-2), bytes(Buffer.from(x!, 'base64url'))], [int(-3), bytes(Buffer.from(y!, 'base64url'))])
  let counter = 1, owner = ''
  const client = (type: string, challenge: string, from: string): Buffer => Buffer.from(JSON.stringify({ type, challenge, origin: from, crossOrigin: false }))
  const data = (flags: number, n: number, rest = Buffer.alloc(0)): Buffer => {
    const out = Buffer.alloc(5)
    out[0] = flags
    out.writeUInt32BE(n, 1)
    return Buffer.concat([createHash('sha256').update(rpID).digest(), out, rest])
  }
  return {
    id: b64(id),
    create(options: { challenge: string; user: { id: string } }) {
      owner = options.user.id
      const own = data(0x45, counter, Buffer.concat([Buffer.alloc(16), Buffer.from([id.length >> 8, id.length & 255]), id, cose]))
      return { id: b64(id), rawId: b64(id), type: 'public-key', clientExtensionResults: {}, response: { clientDataJSON: b64(client('webauthn.create', options.challenge, origin)), attestationObject: b64(map([words('fmt'), words('none')], [words('attStmt'), map()], [words('authData'), bytes(own)])), transports: ['internal'] } }
    },
    get(options: { challenge: string }, { origin: from = origin, verified = true, counter: n, spoil = false }: Misdeed = {}) {
      const own = data(verified ? 0x05 : 0x01, n ?? ++counter), clientData = client('webauthn.get', options.challenge, from), signature = sign('sha256', Buffer.concat([own, createHash('sha256').update(clientData).digest()]), privateKey)
      if (spoil) signature[signature.length - 1]! ^= 1
      return { id: b64(id), rawId: b64(id), type: 'public-key', clientExtensionResults: {}, response: { clientDataJSON: b64(clientData), authenticatorData: b64(own), signature: b64(signature), userHandle: owner } }
    },
  }
}
