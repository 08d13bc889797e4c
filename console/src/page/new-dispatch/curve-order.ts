import { ApiError, post } from '../../api.ts'
import type { Dispatch } from '../../types.ts'
import { type Step, stepBody, stepsOf } from './curve.ts'
import type { Form } from './form.ts'

/** What the server says of each step before anything is sent. */
export interface Look {
  step: Step
  answer?: Dispatch
  refused?: ApiError
}

export async function lookAll(form: Form, more: object): Promise<Look[]> {
  const steps = stepsOf(form),
    out: Look[] = steps.map((step) => ({ step }))
  const one = async (i: number): Promise<void> => {
    try {
      out[i]!.answer = await post<Dispatch>('/dispatches', stepBody(form, steps, i, { ...more, dryRun: true }))
    } catch (error) {
      if (!(error instanceof ApiError && error.problem.checks)) throw error
      out[i]!.refused = error
    }
  }
  // a few at a time: each is a plan over the whole fleet
  for (let i = 0; i < steps.length; i += 4) await Promise.all(steps.slice(i, i + 4).map((_, k) => one(i + k)))
  return out
}

/** Every step or none: what was ordered before a refusal is taken back. The key makes a lost answer harmless to ask for again. */
export async function orderAll(form: Form, more: object, key: string): Promise<Dispatch[]> {
  const steps = stepsOf(form),
    made: Dispatch[] = []
  for (let i = 0; i < steps.length; i++)
    try {
      made.push(await post<Dispatch>('/dispatches', stepBody(form, steps, i, more), { 'idempotency-key': `${key}-${i}` }))
    } catch (error) {
      if (!(error instanceof ApiError) || error.problem.status === 0 || error.problem.status >= 500) throw error
      for (const d of made) await post(`/dispatches/${d.id}/cancel`, { reason: `step ${i + 1} of the curve was refused` })
      throw error
    }
  return made
}
