import type { FastifyInstance } from 'fastify'
import { Counter, Histogram, type Registry } from 'prom-client'

/** Bounded labels only: the route's template, never a path with ids (UX-071). */
export function measure(app: FastifyInstance, register: Registry): void {
  const requests = new Counter({ name: 'loadstone_operator_requests_total', help: 'Requests at the operator door', labelNames: ['method', 'route', 'status'], registers: [register] })
  const seconds = new Histogram({ name: 'loadstone_operator_request_seconds', help: 'Time to answer at the operator door', labelNames: ['method', 'route'], buckets: [0.005, 0.02, 0.1, 0.5, 2, 10], registers: [register] })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown'
    requests.inc({ method: request.method, route, status: String(reply.statusCode) })
    seconds.observe({ method: request.method, route }, reply.elapsedTime / 1000)
  })
}
