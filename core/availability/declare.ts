import type { Availability } from '#core/availability/availability.js'
import { Refusal, type Fault } from '#core/error.js'
import type { AvailabilityIntake } from '#core/port/intake.js'
import type { Transact } from '#core/work.js'

const power = ['down_W', 'up_W', 'down_P10_W', 'down_P90_W', 'up_P10_W', 'up_P90_W'] as const

/** Seconds to either side of 1970 that can be written as a date. */
const calendar = 8_640_000_000_000

export function availabilityFaults(a: Availability, index: number): Fault[] {
  const out: Fault[] = [], at = (field: string): string => `/${index}/${field}`
  if (!Number.isSafeInteger(a.start) || !Number.isSafeInteger(a.end) || a.end <= a.start) out.push({ path: at('end'), reason: 'must be after start' })
  if (Math.abs(a.start) > calendar || Math.abs(a.end) > calendar) out.push({ path: at('start'), reason: 'has no date' })
  for (const field of power) {
    const value = a[field]
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0)) out.push({ path: at(field), reason: 'must be whole watts >= 0' })
  }
  if (a.expected_W !== undefined && !Number.isSafeInteger(a.expected_W)) out.push({ path: at('expected_W'), reason: 'must be whole watts' })
  return out
}

/** CORE-030: a belief is added, never overwritten. */
export const availabilityIntake = (transact: Transact): AvailabilityIntake => ({
  async declare(caller, rows) {
    const faults = rows.flatMap(availabilityFaults)
    if (faults.length > 0) throw new Refusal('invalid', 'availability cannot be stored', { faults })
    if (rows.length === 0) return
    await transact(async ({ stores }) => {
      const ids = [...new Set(rows.map((r) => r.resource))], known = new Set((await stores.resources.getMany(caller.tenant, ids)).map((r) => r.id))
      const strange = ids.find((id) => !known.has(id))
      if (strange !== undefined) throw new Refusal('notFound', `there is no resource '${strange}'`)
      await stores.availability.declare(caller.tenant, rows)
    })
  },
})
