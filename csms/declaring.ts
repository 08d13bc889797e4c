import type { Insist } from './insist.js'
import type { Intake } from './intake.js'
import type { Station } from './station.js'

/** Tells the core what an EVSE can give. It is a state: what was missed is made good by saying how it is now. */
export interface Declaring {
  /** Throws when the core was not told, so that the message behind it is not acknowledged; it is told as soon as it can be all the same. */
  now(station: Station, evseId: number): Promise<void>
  /** In the background, until it is told. */
  soon(station: Station, evseId: number): void
}

export function declaring({ intake, insist }: { intake: Pick<Intake, 'declare'>; insist: Insist }): Declaring {
  const owed = new Set<string>()

  function soon(station: Station, evseId: number): void {
    const key = `availability ${station.key} ${evseId}`
    // One that has not begun will say what is then true.
    if (owed.has(key)) return
    owed.add(key)
    void insist(key, async () => {
      owed.delete(key)
      await intake.declare(station, evseId)
    }, 'availability')
  }

  return {
    soon,
    async now(station, evseId) {
      try {
        await intake.declare(station, evseId)
      } catch (error) {
        soon(station, evseId)
        throw error
      }
    },
  }
}
