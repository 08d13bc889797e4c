import type { HashData } from '#csms/station.js'
import { store, type Effect } from './effect.js'

/** OCPP-214: the root that the next one may have to be signed by. */
export const installCertificate: Effect = async (station, request, answer, needs) => {
  if (answer.status !== 'Accepted' || request.certificateType !== 'CSMSRootCertificate') return
  station.record.csmsRoot = String(request.certificate)
  await store(station, needs)
}

/** OCPP-215: kept as reported, children included; a certificate is deleted by the hash that the station itself used. */
export const getInstalledCertificateIds: Effect = async (station, request, answer, needs) => {
  const chains = (answer.certificateHashDataChain ?? []) as NonNullable<typeof station.record.installed>
  const old = ((answer.certificateHashData ?? []) as HashData[]).map((certificateHashData) => ({ certificateType: String(request.certificateType), certificateHashData }))
  const asked = request.certificateType as string[] | string | undefined
  const others = (station.record.installed ?? []).filter((c) => asked !== undefined && ![asked].flat().includes(c.certificateType))
  station.record.installed = [...others, ...chains, ...old]
  await store(station, needs)
}

export const sameCertificate = (a: HashData, b: HashData): boolean => a.serialNumber.toLowerCase() === b.serialNumber.toLowerCase() && a.hashAlgorithm === b.hashAlgorithm && a.issuerKeyHash.toLowerCase() === b.issuerKeyHash.toLowerCase()

export const deleteCertificate: Effect = async (station, request, answer, needs) => {
  if (answer.status === 'Failed' || !station.record.installed) return
  station.record.installed = station.record.installed.filter((c) => !sameCertificate(c.certificateHashData, request.certificateHashData as HashData))
  await store(station, needs)
}
