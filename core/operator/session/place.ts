import type { FastifyRequest } from 'fastify'

/** Where people find the console, which decides the cookies' `Secure`, the passkeys' relying party and where an identity provider sends people back to. */
export interface Place { readonly origin: string; readonly rpID: string; readonly secure: boolean }

/** `LOADSTONE_OPERATOR_URL`, else what a browser on this machine typed. A Host header decides nothing but the port. */
export function placeOf(configured: string, request: Pick<FastifyRequest, 'headers'>): Place {
  const port = /:(\d{1,5})$/.exec(request.headers.host ?? '')?.[1], url = new URL(configured || `http://localhost${port ? `:${port}` : ''}`)
  return { origin: url.origin, rpID: url.hostname, secure: url.protocol === 'https:' }
}
