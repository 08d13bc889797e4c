import type { OperatorClient } from '#cli/client.js'
import { CliExit, exitCode } from '#cli/exit-code.js'

export interface DispatchView {
  readonly id: string
  readonly state: string
  readonly power_kW: number
  readonly start: string
  readonly end: string
  readonly revision: number
  readonly allocation: { readonly byProtocol: { openadr: number; ieee2030_5: number; ocpp: number }; readonly byResource: readonly { resource: string; protocol: string; allocated_W: number }[]; readonly total_kW: number; readonly shortfall_kW: number }
}

export interface DeliveryView {
  readonly id: string
  readonly resource: string
  readonly resourceName: string
  readonly servicePoint: string
  readonly protocol: 'openadr' | 'ieee2030_5' | 'ocpp'
  readonly state: string
  readonly reason?: string
  readonly allocated_W: number
  readonly revision: number
  readonly sentAt: string | null
}

export interface PerformanceView {
  readonly status: string
  readonly reasons: readonly string[]
  readonly method: string
  readonly days: readonly string[]
  readonly ordered_kWh: number
  readonly baseline_kWh: number | null
  readonly metered_kWh: number | null
  readonly delivered_kWh: number | null
  readonly performance: number | null
  readonly intervals: readonly { readonly start: string; readonly end: string; readonly baseline_kW: number; readonly actual_kW: number }[]
  readonly points: readonly { readonly servicePoint: string; readonly delivered_kWh: number | null }[]
}

const pause = (ms: number): Promise<void> => new Promise((done) => { setTimeout(done, ms) })

/** Follows a dispatch until it is verified; tells each new look at it. Gives up (exit 1) when the machine has waited too long. */
export async function follow(operator: OperatorClient, id: string, tell: (d: DispatchView, deliveries: readonly DeliveryView[]) => void, patience_ms: number): Promise<DispatchView> {
  const deadline = performance.now() + patience_ms
  for (;;) {
    const dispatch = await operator.call<DispatchView>('GET', `/dispatches/${id}`)
    tell(dispatch, await operator.all<DeliveryView>(`/dispatches/${id}/deliveries`))
    if (['verified', 'settled'].includes(dispatch.state)) return dispatch
    if (['cancelled', 'rejected'].includes(dispatch.state)) throw new CliExit(exitCode.failed, `The dispatch ended as ${dispatch.state}.`)
    if (performance.now() > deadline) throw new CliExit(exitCode.failed, `The dispatch is still ${dispatch.state}; it should have been verified by now.`)
    await pause(1000)
  }
}
