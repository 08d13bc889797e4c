import type { Clock, Timer } from '#core/port/clock.js'

/** A promise that gives up, or fails, as undefined: a plug-in must not hold a station's CALL. `ms` are the machine's (OCPP-217). */
export async function atMost<T>(clock: Clock, ms: number, work: Promise<T> | undefined): Promise<T | undefined> {
  let timer: Timer | undefined
  const late = new Promise<undefined>((done) => { timer = clock.after(ms * clock.rate, () => done(undefined)) })
  try {
    return await Promise.race([work ?? undefined, late])
  } catch {
    return undefined
  } finally {
    timer?.cancel()
  }
}
