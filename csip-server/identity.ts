/**
 * Who asks: the certificate's LFDI on the protocol door, an operator on the API (SEP-190). Frozen; made once per socket,
 * while validity and revocation are asked for again with each request (SEC-007).
 */
export interface Peer {
  readonly kind: 'device' | 'operator'
  /** Upper-case hex; '' for an operator. */
  readonly lfdi: string
  readonly sfdi: number
  readonly user: string
}

export const devicePeer = (lfdi: string, sfdi: number): Peer => Object.freeze({ kind: 'device', lfdi, sfdi, user: lfdi })
export const operatorPeer = (user: string): Peer => Object.freeze({ kind: 'operator', lfdi: '', sfdi: 0, user })
