import type { Clock } from '#core/port/clock.js'
import type { Log } from '#core/port/log.js'
import { atMost } from '#csms/at-most.js'
import type { ChainQuestion, ChainStatus } from '#csms/chain-status.js'
import { handler, in2x, type Handler } from '#csms/handler.js'
import type { CertificateSigner, VehicleCertificates } from '#csms/needs.js'
import type { Ocsp, OcspQuestion } from '#csms/ocsp.js'
import { CallFailed } from '#csms/rpc/error-code.js'
import type { Station } from '#csms/station.js'
import type { StationLog } from '#csms/station-log.js'

type Kind = 'ChargingStationCertificate' | 'V2GCertificate'

/** A02, M01, M02, M06, M07 (OCPP-036…038, 216, 217). */
export function certificates({ clock, log, signer, vehicles, ocsp, chains, stationLog, renewed }: {
  /** How it stands with the certificates of a chain (M07 of 2.1). */
  chains(questions: readonly ChainQuestion[]): Promise<ChainStatus[]>
  clock: Clock; log: Log; signer?: CertificateSigner; vehicles?: VehicleCertificates; ocsp: Ocsp; stationLog: StationLog
  /** The station took a new certificate of its own. */
  renewed(station: Station): Promise<void>
}): Handler[] {
  /** CSRs in progress: a repetition gets Accepted and no second certificate (OCPP-038). */
  const inProgress = new Map<string, string>()

  async function issue(station: Station, chain: string, kind: Kind): Promise<void> {
    const most = Number(station.actual('SecurityCtrlr', 'MaxCertificateChainSize') ?? 10_000)
    if (chain.length > Math.min(10_000, most)) return stationLog.alarm(station, 'certificate chain is too long for the station', { length: chain.length })
    const payload = station.session.version === '1.6' ? { certificateChain: chain } : { certificateChain: chain, certificateType: kind }
    const answer = await station.session.call('CertificateSigned', payload, { priority: 'user', offline: 'wait' })
    if (answer.status === 'Accepted') {
      if (kind === 'ChargingStationCertificate') await renewed(station)
      return stationLog.keep(station, 'CertificateSigned', { kind })
    }
    await stationLog.alarm(station, 'CertificateSigned Rejected', answer)
  }

  async function sign(station: Station, csr: string, kind: Kind): Promise<{ status: string }> {
    if (!signer) return { status: 'Rejected' }
    if (inProgress.get(`${station.key} ${kind}`) === csr) return { status: 'Accepted' }
    const signed = await signer.sign({ csr, station: station.identity, serialNumber: station.record.serialNumber, kind })
    if ('refused' in signed) {
      await stationLog.keep(station, 'SignCertificate', { refused: signed.refused, kind })
      return { status: 'Rejected' }
    }
    const key = `${station.key} ${kind}`
    inProgress.set(key, csr)
    // The answer to SignCertificate goes first.
    clock.after(0, () => {
      issue(station, signed.chain, kind).catch((error: unknown) => {
        log.warn({ station: station.identity, cause: error instanceof CallFailed ? error.reason : String(error), clause: 'A02.FR.07' }, 'no answer to CertificateSigned')
      }).finally(() => inProgress.delete(key))
    })
    return { status: 'Accepted' }
  }

  return [
    handler<{ csr: string; certificateType?: Kind }>('SignCertificate', (station, r) => sign(station, r.csr, r.certificateType ?? 'ChargingStationCertificate')),
    handler<{ ocspRequestData: OcspQuestion }>('GetCertificateStatus', async (_station, r) => {
      const found = await ocsp.ask(r.ocspRequestData), ocspResult = found?.der.toString('base64')
      // The field holds 5500 characters; what does not fit cannot be told.
      return ocspResult !== undefined && ocspResult.length <= 5500 ? { status: 'Accepted', ocspResult } : { status: 'Failed' }
    }, in2x),
    handler<{ certificateStatusRequests: readonly ChainQuestion[] }>('GetCertificateChainStatus', async (_station, r) => ({ certificateStatus: await chains(r.certificateStatusRequests) }), ['2.1']),
    handler<{ iso15118SchemaVersion: string; action: string; exiRequest: string }>('Get15118EVCertificate', async (station, r) => {
      const answer = await atMost(clock, 25_000, vehicles?.exchange?.(r))
      const most = Number(station.actual('OCPPCommCtrlr', 'FieldLength', 'Get15118EVCertificateResponse.exiResponse') ?? 5600)
      return answer && answer.exiResponse.length <= most ? { status: 'Accepted', exiResponse: answer.exiResponse } : { status: 'Failed', exiResponse: '' }
    }, in2x),
  ]
}
