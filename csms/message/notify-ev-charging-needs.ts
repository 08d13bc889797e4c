import type { Clock } from '#core/port/clock.js'
import type { Journal } from '#csms/journal.js'
import { handler, in2x, type Handler } from '#csms/handler.js'
import type { Station } from '#csms/station.js'
import { stampMs } from '#csms/time.js'
import { storedOr } from './status-notification.js'
import { transactionDocument } from './transaction-event.js'
import type { Tokens } from '#csms/tokens.js'

/** What the car wants (K15, OCPP-197), in our units. */
export interface ChargingNeeds {
  readonly at: number
  readonly energy_Wh: number | undefined
  /** Epoch seconds. */
  readonly departure: number | undefined
  readonly max_W: number | undefined
  readonly min_W: number | undefined
  readonly phases: number | undefined
  readonly current: 'AC' | 'DC'
  readonly maxScheduleTuples: number | undefined
}

interface NotifyEVChargingNeeds {
  readonly evseId: number
  readonly maxScheduleTuples?: number
  readonly chargingNeeds: {
    readonly requestedEnergyTransfer: string
    readonly departureTime?: string
    readonly acChargingParameters?: { energyAmount: number; evMinCurrent: number; evMaxCurrent: number; evMaxVoltage: number }
    readonly dcChargingParameters?: { evMaxCurrent: number; evMaxVoltage: number; evMaxPower?: number; energyAmount?: number; stateOfCharge?: number; evEnergyCapacity?: number; fullSoC?: number }
  }
}

const phasesOf: Record<string, number> = { AC_single_phase: 1, AC_two_phase: 2, AC_three_phase: 3 }

export function needsOf(request: NotifyEVChargingNeeds, nowMs: number, voltage: number): ChargingNeeds {
  const { chargingNeeds: n } = request, ac = n.acChargingParameters, dc = n.dcChargingParameters
  const phases = phasesOf[n.requestedEnergyTransfer]
  const departure = n.departureTime === undefined ? undefined : Math.floor(stampMs(n.departureTime) / 1000)
  const common = { at: nowMs, departure, maxScheduleTuples: request.maxScheduleTuples }
  if (dc) {
    const open = dc.evEnergyCapacity !== undefined && dc.stateOfCharge !== undefined ? dc.evEnergyCapacity * ((dc.fullSoC ?? 100) - dc.stateOfCharge) / 100 : undefined
    return {
      ...common, current: 'DC', phases: undefined, min_W: undefined, energy_Wh: dc.energyAmount ?? (open === undefined ? undefined : Math.max(0, open)),
      max_W: dc.evMaxPower ?? dc.evMaxCurrent * dc.evMaxVoltage,
    }
  }
  const U = ac ? Math.min(voltage, ac.evMaxVoltage) || voltage : voltage
  return {
    ...common, current: 'AC', phases, energy_Wh: ac?.energyAmount,
    max_W: ac ? ac.evMaxCurrent * U * (phases ?? 1) : undefined, min_W: ac ? ac.evMinCurrent * U * (phases ?? 1) : undefined,
  }
}

/** K15…K17: the needs are taken as availability; a schedule follows through `wanted`, within 60 s (K15.FR.08). */
export function notifyEVChargingNeeds({ clock, journal, tokens, wanted }: { clock: Clock; journal: Journal; tokens: Pick<Tokens, 'find'>; wanted(station: Station, evseId: number, needs: ChargingNeeds): void }): Handler[] {
  /** 2.1 (Q01, OCPP-264): a transfer that the driver's contract does not have. */
  async function forbidden(station: Station, { evseId, chargingNeeds: { requestedEnergyTransfer } }: NotifyEVChargingNeeds): Promise<boolean> {
    const token = station.session.version === '2.1' ? station.running(evseId)?.idToken : undefined
    const allowed = token && (await tokens.find(station.tenant, token))?.allowedEnergyTransfer
    return allowed !== undefined && !allowed.includes(requestedEnergyTransfer)
  }

  return [handler<NotifyEVChargingNeeds>('NotifyEVChargingNeeds', async (station, request) => {
    // K15.FR.03: no transaction to schedule.
    const transaction = station.running(request.evseId)
    if (!transaction) return { status: 'Rejected', statusInfo: { reasonCode: 'TxNotFound' } }
    if (await forbidden(station, request)) return { status: 'Rejected', statusInfo: { reasonCode: 'InvalidValue' } }
    const needs = needsOf(request, clock.nowMs(), station.record.voltage)
    const before = transaction.needs
    transaction.needs = needs
    // The station says it once, so it is kept before it is acknowledged.
    await storedOr(() => { if (before) transaction.needs = before; else delete transaction.needs }, journal.write([transactionDocument(station, transaction)]))
    station.needs.set(request.evseId, needs)
    wanted(station, request.evseId, needs)
    return { status: 'Accepted' }
  }, in2x)]
}
