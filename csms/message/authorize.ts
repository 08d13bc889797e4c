import { handler, in16, in2x, type Handler } from '#csms/handler.js'
import type { Tokens } from '#csms/tokens.js'
import type { IdToken, IdTokenInfo } from '#csms/wire/transaction-event.js'

interface Authorize2 {
  readonly idToken: IdToken
  readonly certificate?: string
  readonly iso15118CertificateHashData?: readonly object[]
}

/** 1.6 knows fewer statuses (1.6 7.2). */
const statuses16 = new Set(['Accepted', 'Blocked', 'Expired', 'Invalid', 'ConcurrentTx'])

export const tagInfo = (info: IdTokenInfo): object => ({
  status: statuses16.has(info.status) ? info.status : 'Invalid',
  ...(info.groupIdToken ? { parentIdTag: info.groupIdToken.idToken.slice(0, 20) } : {}),
  ...(info.cacheExpiryDateTime ? { expiryDate: info.cacheExpiryDateTime } : {}),
})

/** C01…C15: always answered with a status, an unknown token too (OCPP-111). */
export function authorize({ tokens, checkContract }: {
  tokens: Tokens
  /** Plug & Charge (C07): the state of the contract certificate, when something checks it. */
  checkContract?: (request: Authorize2) => Promise<'Accepted' | 'CertificateExpired' | 'CertificateRevoked' | 'CertChainError'>
}): Handler[] {
  return [
    handler<Authorize2>('Authorize', async (station, request) => {
      const idTokenInfo = await tokens.info(station.tenant, station.identity, request.idToken, undefined, station.evses())
      if (!request.certificate && !request.iso15118CertificateHashData) return { idTokenInfo }
      // C07.FR.13-17; without a verifier a chain cannot be verified.
      const certificate = await checkContract?.(request) ?? 'CertChainError'
      const pair: Record<typeof certificate, [string, string]> = {
        Accepted: [idTokenInfo.status === 'Accepted' ? 'Accepted' : 'ContractCancelled', idTokenInfo.status],
        CertificateExpired: ['CertificateExpired', 'Expired'], CertificateRevoked: ['CertificateRevoked', 'Invalid'], CertChainError: ['CertChainError', 'Invalid'],
      }
      const [certificateStatus, status] = pair[certificate]
      return { idTokenInfo: { ...idTokenInfo, status }, certificateStatus }
    }, in2x),
    handler<{ idTag: string }>('Authorize', async (station, { idTag }) => ({
      idTagInfo: tagInfo(await tokens.info(station.tenant, station.identity, await typed(tokens, station.tenant, idTag), undefined, [])),
    }), in16),
  ]
}

/** A 1.6 idTag has no type: the token of that text, whatever its type. */
export const typed = async (tokens: Tokens, tenant: string, idTag: string): Promise<IdToken> =>
  ({ idToken: idTag, type: (await tokens.find(tenant, { idToken: idTag }))?.type ?? 'ISO14443' })
