import { composite, refusal, type ChargingProfile, type Installed } from '#sim/charging-profile.js'
import { variables } from '#sim/charger-variables.js'
import type { Line, OcppVersion, Payload } from '#sim/charger-line.js'
import { lateness_ms, type Behaviour, type Diary } from '#sim/device.js'
import type { Meter } from '#sim/meter.js'

/** What a station is, as far as the CSMS can ask for it or change it. */
export interface StationState {
  installed: Installed[]
  transaction: { readonly id: string; readonly start_ms: number } | undefined
  available: boolean
  /** A late one obeys from then on. */
  obeyFrom_ms: number
}

const iso = (ms: number): string => new Date(ms).toISOString()

/** How the simulated station answers what the CSMS asks; in words of 2.x, the line translates. */
export function answerTo(line: Line, { state, stationId, rated_W, version, behaviour, diary, count, nowMs, knowsTime, evseId, status, transactionEvent, registerNow, boot }: {
  state: StationState; stationId: string; rated_W: number; version: OcppVersion; behaviour: Behaviour; diary: Diary; count: Meter; nowMs(): number; evseId: number
  /** Before its first boot is answered a station has no time to say anything at. */
  knowsTime(): boolean
  status(): void
  transactionEvent(eventType: 'Updated', triggerReason: string, at_ms: number): void
  registerNow(at_ms: number): Payload
  boot(): void
}): void {
  const { on, queue, rpc, outbox } = line
  on('SetChargingProfile', ({ evseId: where, chargingProfile }: { evseId: number; chargingProfile: ChargingProfile }) => {
    diary.ordersSeen += 1
    const no = behaviour === 'reject' ? 'UnspecifiedReason' : refusal(where, chargingProfile, state.installed, 1, () => state.transaction?.id)
    if (no) { diary.rejected += 1; return { status: 'Rejected', statusInfo: { reasonCode: no } } }
    count.advance(nowMs())
    if (behaviour === 'late') state.obeyFrom_ms = nowMs() + lateness_ms
    if (behaviour === 'optout') diary.optedOut += 1
    else diary.ordersFollowed += 1
    state.installed = [...state.installed.filter((i) => i.profile.id !== chargingProfile.id), { evseId: where, profile: chargingProfile }]
    return { status: 'Accepted' }
  })
  on('ClearChargingProfile', ({ chargingProfileId: id, chargingProfileCriteria: c }: { chargingProfileId?: number; chargingProfileCriteria?: { evseId?: number; chargingProfilePurpose?: string; stackLevel?: number } }) => {
    count.advance(nowMs())
    const gone = (i: Installed): boolean => id !== undefined ? i.profile.id === id
      : (c?.evseId === undefined || c.evseId === i.evseId) && (c?.chargingProfilePurpose === undefined || c.chargingProfilePurpose === i.profile.chargingProfilePurpose) &&
        (c?.stackLevel === undefined || c.stackLevel === i.profile.stackLevel)
    const before = state.installed.length
    state.installed = state.installed.filter((i) => !gone(i))
    return { status: state.installed.length < before ? 'Accepted' : 'Unknown' }
  })
  on('GetCompositeSchedule', ({ duration, evseId: where, chargingRateUnit }: { duration: number; evseId: number; chargingRateUnit?: 'W' | 'A' }) => {
    if (where > 1) return { status: 'Rejected', statusInfo: { reasonCode: 'UnknownEvse' } }
    const now = nowMs(), unit = chargingRateUnit ?? 'W'
    return { status: 'Accepted', schedule: { evseId: where, duration, scheduleStart: iso(now), chargingRateUnit: unit, chargingSchedulePeriod: composite(state.installed, where, now, duration, rated_W, unit, state.transaction) } }
  })
  on('GetChargingProfiles', ({ requestId, evseId: where, chargingProfile: c }: { requestId: number; evseId?: number; chargingProfile: { chargingProfileId?: number[]; chargingProfilePurpose?: string; stackLevel?: number } }) => {
    const found = state.installed.filter((i) => (where === undefined || i.evseId === where) && (c.chargingProfileId === undefined || c.chargingProfileId.includes(i.profile.id)) &&
      (c.chargingProfilePurpose === undefined || c.chargingProfilePurpose === i.profile.chargingProfilePurpose) && (c.stackLevel === undefined || c.stackLevel === i.profile.stackLevel))
    if (found.length === 0) return { status: 'NoProfiles' }
    const evses = [...new Set(found.map((i) => i.evseId))]
    evses.forEach((at, i) => queue('ReportChargingProfiles', { requestId, chargingLimitSource: 'CSO', evseId: at, tbc: i < evses.length - 1, chargingProfile: found.filter((f) => f.evseId === at).map((f) => f.profile) }))
    return { status: 'Accepted' }
  })
  const device = variables(stationId, rated_W)
  // 1.6 has keys in place of a device model.
  if (version === '1.6') {
    rpc.handle('GetConfiguration', () => Promise.resolve({ configurationKey: [
      ['ChargeProfileMaxStackLevel', '10'], ['ChargingScheduleAllowedChargingRateUnit', 'Current,Power'], ['ChargingScheduleMaxPeriods', '24'], ['MaxChargingProfilesInstalled', '20'],
    ].map(([key, value]) => ({ key, readonly: true, value })), unknownKey: [] }))
    rpc.handle('ChangeConfiguration', () => Promise.resolve({ status: 'NotSupported' }))
  }
  on('GetVariables', (params) => device.get(params))
  on('SetVariables', (params) => device.set(params))
  for (const action of ['GetBaseReport', 'GetReport']) {
    on(action, ({ requestId }: { requestId: number }) => {
      for (const [part, payload] of device.report(requestId, iso(nowMs()))) queue(part, payload)
      return { status: 'Accepted' }
    })
  }
  on('GetTransactionStatus', () => ({ ...(state.transaction ? { ongoingIndicator: true } : { ongoingIndicator: false }), messagesInQueue: outbox.length > 0 }))
  on('ChangeAvailability', ({ operationalStatus }: { operationalStatus: string }) => {
    count.advance(nowMs())
    state.available = operationalStatus === 'Operative'
    if (knowsTime()) status()
    return { status: 'Accepted' }
  })
  on('TriggerMessage', ({ requestedMessage }: { requestedMessage: string }) => {
    const now = nowMs()
    if (requestedMessage === 'BootNotification') boot()
    else if (!knowsTime()) return { status: 'Rejected', statusInfo: { reasonCode: 'NoTime' } }
    else if (requestedMessage === 'StatusNotification') status()
    else if (requestedMessage === 'Heartbeat') queue('Heartbeat', {})
    else if (requestedMessage === 'MeterValues') { count.advance(now); queue('MeterValues', { evseId, meterValue: [registerNow(now)] }) }
    else if (requestedMessage === 'TransactionEvent' && state.transaction) { count.advance(now); transactionEvent('Updated', 'Trigger', now) }
    else return { status: 'NotImplemented' }
    return { status: 'Accepted' }
  })
}
