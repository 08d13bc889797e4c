import type { Csip } from '#csip-server/server.js'
import type { Csms } from '#csms/server.js'
import type { DoorNeeds } from '#main/doors.js'
import type { ReadyLine } from '#main/shape.js'
import type { Vtn } from '#vtn/server.js'

export interface OperatorNeeds extends DoorNeeds {
  readonly vtn: Vtn
  readonly csip: Csip
  readonly csms: Csms
}

export async function listenOperator(_needs: OperatorNeeds): Promise<Partial<ReadyLine>> {
  return {}
}
