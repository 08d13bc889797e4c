import type { Caller } from '#core/caller.js'
import { system } from '#core/caller.js'
import type { Core } from '#core/assemble.js'
import type { Csip } from '#csip-server/server.js'
import type { Csms } from '#csms/server.js'
import type { PkiFolder } from '#certs/index.js'
import type { VtnClientConfig } from '#vtn/config.js'
import { firstTenant } from '#main/shape.js'

/** OpenADR clients of the conformance seed (contract §4). */
export const conformanceClients: readonly VtnClientConfig[] = [
  { clientID: 'bl_client', clientSecret: '1001', role: 'BL' },
  { clientID: 'ven_client', clientSecret: '999', role: 'VEN' },
  { clientID: 'ven_client2', clientSecret: '9999', role: 'VEN' },
]

const batteries = ['device-1', 'device-2', 'device-3', 'device-4'] as const
const stations = Array.from({ length: 10 }, (_, i) => `CS${String(i + 1).padStart(3, '0')}`)

export interface SeedNeeds {
  readonly core: Core
  readonly csip: Csip
  readonly csms: Csms
  readonly pki: PkiFolder
  /** Makes the core's entities: program, service points, resources, active enrolments. Safe to run again. */
  readonly enrol: (caller: Caller, wanted: SeedProgram) => Promise<void>
}

export interface SeedResource {
  readonly name: string
  readonly kind: string
  readonly rated_W: number
  readonly gridPath: readonly string[]
  readonly protocol: 'ieee2030_5' | 'ocpp'
  readonly remoteId: string
  readonly evseId?: number
}

export interface SeedProgram {
  readonly program: string
  readonly resources: readonly SeedResource[]
}

/** The known content of `serve --seed conformance`: EndDevices with groups, stations, id tokens, the program and its resources. */
export async function seedConformance({ core, csip, csms, pki, enrol }: SeedNeeds): Promise<void> {
  const lfdi = (name: string): string => pki.devices[name]?.lfdi ?? ''
  const feeder = { 'device-1': 'F1', 'device-2': 'F1', 'device-3': 'F2', 'device-4': 'F2' } as const
  const aggregator = pki.devices['aggregator-1']
  await csip.provisioning.registerEndDevices([
    ...(aggregator ? [{ lfdi: aggregator.lfdi, sfdi: aggregator.sfdi, pin: aggregator.pin }] : []),
    ...batteries.map((name) => ({
      lfdi: lfdi(name), ...identity(pki, name), groups: ['system', feeder[name], name],
      ...(aggregator && feeder[name] === 'F2' ? { manager: aggregator.lfdi } : {}),
    })),
  ])
  await csip.provisioning.allowEndDevice({ lfdi: lfdi('device-5'), ...identity(pki, 'device-5'), groups: ['system'] })
  await csms.provision.add(firstTenant, [
    ...stations.map((id) => ({ id, securityProfile: 1, securityProfiles: [1, 2], password: `loadstone-${id}-pass` })),
    { id: 'CS011', securityProfile: 3, serialNumber: 'CS011' },
  ], { keepExisting: true })
  await csms.tokens.put(firstTenant, [
    { idToken: 'DEADBEEF', type: 'ISO14443', status: 'Accepted' },
    { idToken: 'BLOCKED01', type: 'ISO14443', status: 'Blocked' },
    { idToken: 'EXPIRED01', type: 'ISO14443', status: 'Expired' },
    { idToken: 'GROUP01', type: 'ISO14443', status: 'Accepted', group: 'FLEET1' },
    { idToken: 'GROUP02', type: 'ISO14443', status: 'Accepted', group: 'FLEET1' },
  ])
  await enrol(system(firstTenant), {
    program: 'conformance',
    resources: [
      ...batteries.map((name) => ({ name, kind: 'battery', rated_W: 5000, gridPath: [feeder[name]], protocol: 'ieee2030_5' as const, remoteId: lfdi(name) })),
      ...stations.map((id) => ({ name: id, kind: 'evse', rated_W: 22_000, gridPath: [], protocol: 'ocpp' as const, remoteId: id, evseId: 1 })),
    ],
  })
  core.directory.forget()
}

const identity = (pki: PkiFolder, name: string): { sfdi?: number; pin?: number } => {
  const found = pki.devices[name]
  return found ? { sfdi: found.sfdi, pin: found.pin } : {}
}
