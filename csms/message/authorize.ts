import { handler, in16, in2x, type Handler } from '#csms/handler.js'
import type { ContractCheck } from '#csms/contract-certificate.js'
import type { Station } from '#csms/station.js'
import type { Tariffs } from '#csms/tariff.js'
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

/** C07.FR.13-17: a bad token (unknown, blocked, expired, invalid) cancels the contract; another refusal (place, time, credit) leaves it. */
const certificateOf: Record<string, string> = { ConcurrentTx: 'Accepted', NoCredit: 'Accepted', NotAllowedTypeEVSE: 'Accepted', NotAtThisLocation: 'Accepted', NotAtThisTime: 'Accepted' }

/** C01…C15: always answered with a status, an unknown token too (OCPP-111). What a driver's token, and with Plug & Charge the car's contract certificate, are told (C07). */
export function authorize({ tokens, tariffs, contracts }: { tokens: Tokens; tariffs: Pick<Tariffs, 'message'>; contracts: ContractCheck }): Handler[] {
  async function told(station: Station, { idToken }: Authorize2): Promise<IdTokenInfo> {
    const info = await tokens.info(station.tenant, station.identity, idToken, undefined, station.evses())
    const message = info.status === 'Accepted' && !info.personalMessage ? await tariffs.message(station) : undefined
    return message ? { ...info, personalMessage: message } : info
  }

  /** 2.1 (OCPP-264): only when it is known, and only for a token that may charge. */
  async function transfer(station: Station, { idToken }: Authorize2, status: string): Promise<{ allowedEnergyTransfer?: readonly string[] }> {
    if (station.session.version !== '2.1' || status !== 'Accepted') return {}
    const allowed = (await tokens.find(station.tenant, idToken))?.allowedEnergyTransfer
    return allowed ? { allowedEnergyTransfer: allowed } : {}
  }

  return [
    handler<Authorize2>('Authorize', async (station, request) => {
      const idTokenInfo = await told(station, request)
      if (!request.certificate && !request.iso15118CertificateHashData) return { idTokenInfo, ...await transfer(station, request, idTokenInfo.status) }
      // C07.FR.13-17.
      const certificate = await contracts(request)
      const pair: Record<typeof certificate, [string, string]> = {
        Accepted: [idTokenInfo.status === 'Accepted' ? 'Accepted' : certificateOf[idTokenInfo.status] ?? 'ContractCancelled', idTokenInfo.status],
        CertificateExpired: ['CertificateExpired', 'Expired'], CertificateRevoked: ['CertificateRevoked', 'Invalid'], CertChainError: ['CertChainError', 'Invalid'],
      }
      const [certificateStatus, status] = pair[certificate]
      return { idTokenInfo: { ...idTokenInfo, status }, certificateStatus, ...await transfer(station, request, status) }
    }, in2x),
    handler<{ idTag: string }>('Authorize', async (station, { idTag }) => ({
      idTagInfo: tagInfo(await tokens.info(station.tenant, station.identity, await typed(tokens, station.tenant, idTag), undefined, [])),
    }), in16),
  ]
}

/** A 1.6 idTag has no type: the token of that text, whatever its type. */
export const typed = async (tokens: Tokens, tenant: string, idTag: string): Promise<IdToken> =>
  ({ idToken: idTag, type: (await tokens.find(tenant, { idToken: idTag }))?.type ?? 'ISO14443' })
