import type { FastifyInstance } from 'fastify'
import { Refusal } from '#core/error.js'
import { Admission, rankOf, type Limits } from '#core/operator/shed.js'

const sentence = {
  busy: 'the server has more to do than it can: what can wait is turned away first',
  budget: 'this tenant asks more than its share',
} as const

/**
 * REL-070, REL-071: turns away at the door, before anything of the body is read and after it is known who asks. A stream of live events is counted
 * while it begins, not while it lasts.
 */
export function admitWithin(app: FastifyInstance, limits: Limits, nowMs: () => number): Admission {
  const admission = new Admission(limits, nowMs)
  app.addHook('onRequest', async (request, reply) => {
    const tenant = (request.operator as typeof request.operator | undefined)?.tenant, verdict = admission.enter(tenant, rankOf(request.method, request.url))
    if (!verdict.admitted) {
      reply.header('retry-after', String(verdict.retryAfter_s))
      throw new Refusal(verdict.why === 'busy' ? 'unavailable' : 'rateLimited', sentence[verdict.why])
    }
    // 'close' comes once, also when the caller goes away before its answer
    let left = false
    const leave = (): void => {
      if (!left) admission.leave(tenant)
      left = true
    }
    reply.raw.once('close', leave)
    if (/^\/api\/v1\/live(?:[/?]|$)/.test(request.url)) leave()
  })
  return admission
}
