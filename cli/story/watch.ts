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

/** What the meters say while an event runs; provisional. */
export interface SoFar { readonly delivered_kWh: number | null; readonly asked_kWh: number }

const pause = (ms: number): Promise<void> => new Promise((done) => { setTimeout(done, ms) })

/** Follows a dispatch until it is verified; tells each new look at it. Gives up (exit 1) when the machine has waited too long. */
export async function follow(operator: OperatorClient, id: string, tell: (d: DispatchView, deliveries: readonly DeliveryView[], soFar: SoFar | undefined) => void, patience_ms: number, signal: AbortSignal): Promise<DispatchView> {
  const deadline = performance.now() + patience_ms
  let soFar: SoFar | undefined, look = 0
  /** A server that is busy for a moment is looked at again; anything else that goes wrong is told. */
  async function looked(): Promise<DispatchView | undefined> {
    try {
      const dispatch = await operator.call<DispatchView>('GET', `/dispatches/${id}`)
      // the running sum costs a look at all readings of the event: now and then is enough for a person
      if (look++ % 3 === 2 && ['active', 'completed'].includes(dispatch.state)) soFar = await operator.call<SoFar>('GET', `/dispatches/${id}/progress`)
      tell(dispatch, await operator.all<DeliveryView>(`/dispatches/${id}/deliveries`), soFar)
      return dispatch
    } catch (error) {
      if (error instanceof CliExit && error.code === exitCode.unreachable && performance.now() < deadline) return undefined
      throw error
    }
  }
  for (;;) {
    signal.throwIfAborted()
    const dispatch = await looked()
    if (dispatch && ['verified', 'settled'].includes(dispatch.state)) return dispatch
    if (dispatch && ['cancelled', 'rejected'].includes(dispatch.state)) throw new CliExit(exitCode.failed, `The dispatch ended as ${dispatch.state}.`)
    if (performance.now() > deadline) throw new CliExit(exitCode.failed, `The dispatch is still ${dispatch?.state ?? 'out of sight'}; it should have been verified by now.`)
    await pause(1000)
  }
}
