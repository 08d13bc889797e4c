import { seedPen } from '#certs/pki-folder.js'
import type { Loadstone } from '#main/shape.js'
import type { OperatorClient } from '#cli/client.js'
import type { FleetCredentials, PlannedDevice } from '#sim/fleet.js'

export interface Issued {
  readonly credentials: FleetCredentials
  readonly lfdis: Readonly<Record<string, string>>
}

/** What each device needs to come in by its own door: an OAuth client, a certificate from the MICA, a station password. */
export async function issueCredentials(server: Loadstone, operator: OperatorClient, devices: readonly PlannedDevice[]): Promise<Issued> {
  const of = (protocol: PlannedDevice['protocol']): PlannedDevice[] => devices.filter((d) => d.protocol === protocol)
  const [vens, inverters, chargers] = [of('openadr'), of('ieee2030_5'), of('ocpp')]
  const clients = await server.vtn.clients.add(vens.map((d) => ({ clientID: d.name, role: 'VEN' as const })))
  const certificates = await server.pki.issueDevices(inverters.map((d) => d.name))
  await keepOnRecord(server, certificates)
  await server.csip.provisioning.registerEndDevices(certificates.map((c, i) => ({ lfdi: c.lfdi, sfdi: c.sfdi, pin: c.pin, groups: ['system', feederOf(i), (inverters[i] as PlannedDevice).name] })))
  const stations: { id: string; password?: string }[] = []
  for (let at = 0; at < chargers.length; at += 500) {
    const answer = await operator.call<{ items: { id: string; password?: string }[] }>('POST', '/stations', chargers.slice(at, at + 500).map((d) => ({ id: d.name, securityProfile: 2 })))
    stations.push(...answer.items)
  }
  return {
    credentials: {
      tlsCa: server.pki.tls.ca, csipCa: server.pki.csip.trust.join('\n'),
      vens: Object.fromEntries(clients.map((c) => [c.clientID, c])),
      inverters: Object.fromEntries(certificates.map((c, i) => [(inverters[i] as PlannedDevice).name, { key: c.key, cert: c.certificate }])),
      chargers: Object.fromEntries(stations.map((s) => [s.id, { password: s.password ?? '' }])),
    },
    lfdis: Object.fromEntries(certificates.map((c, i) => [(inverters[i] as PlannedDevice).name, c.lfdi])),
  }
}

const maker = 'simulators'

/** The fleet's maker has an account like any other, and what was signed for its devices is on record: it can be looked up, it ends in time, it can be revoked. */
async function keepOnRecord({ certificates: { registry, vendors } }: Loadstone, made: Awaited<ReturnType<Loadstone['pki']['issueDevices']>>): Promise<void> {
  if (!await vendors.get(maker)) await vendors.put({ name: maker, pen: seedPen, fingerprints: [], approval: 'automatic', policy: 'factory', active: true })
  await registry.adopt(made.map(({ der, pin }) => ({ der, pin, vendor: maker, requester: 'the demo' })))
}

/** Four feeders share the fleet. */
export const feederOf = (index: number): string => `F${(index % 4) + 1}`
