import type { FastifyInstance } from 'fastify'
import type { Span, Trace } from '#core/port/trace.js'

declare module 'fastify' {
  interface FastifyRequest {
    span?: Span
  }
}

/**
 * The operator's click: the first span of a trace, or one of the trace that the caller names in `traceparent` (W3C Trace Context). Only
 * the API is traced; the context is entered after the body is read, as the stream of a request brings none.
 */
export function traceRequests(app: FastifyInstance, trace: Trace): void {
  app.decorateRequest('span')
  app.addHook('onRequest', async (request) => {
    if (!request.url.startsWith('/api/v1/')) return
    const { traceparent } = request.headers, route = request.routeOptions.url ?? 'unknown'
    request.span = trace.begin(`${request.method} ${route}`, {
      ...(typeof traceparent === 'string' ? { parent: traceparent } : {}), kind: 'server',
      attributes: { 'http.request.method': request.method, 'http.route': route, 'url.path': request.url.split('?')[0], 'loadstone.request': request.id },
    })
  })
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.span) request.span.run(done)
    else done()
  })
  app.addHook('onResponse', async (request, reply) => {
    request.span?.end({ 'http.response.status_code': reply.statusCode }, reply.statusCode >= 500 ? `status ${reply.statusCode}` : undefined)
  })
}
