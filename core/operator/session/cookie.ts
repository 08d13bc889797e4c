import { createHmac, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '#core/error.js'

/**
 * The console's way to carry a token (SEC-066): a cookie that no script can read, that no other site's request carries, and that
 * changes nothing without a header that only a page of this origin can know.
 */
export const guardHeader = 'x-loadstone-guard'
const life_s = 12 * 3600

/** Browsers share cookies between the ports of a host, so two servers on one machine need two names. */
export const cookieName = (request: Pick<FastifyRequest, 'headers'>): string => `loadstone-session-${/:(\d+)$/.exec(request.headers.host ?? '')?.[1] ?? '0'}`

export function cookieOf(request: Pick<FastifyRequest, 'headers'>, name = cookieName(request)): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const cut = pair.indexOf('=')
    if (cut > 0 && pair.slice(0, cut).trim() === name) return decodeURIComponent(pair.slice(cut + 1).trim())
  }
  return undefined
}

/** What a page must send beside the cookie to change anything: derived, so nothing has to be stored. */
export const guardOf = (token: string): string => createHmac('sha256', token).update('loadstone guard').digest('base64url')

const looks = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Cross-site request forgery: a change by cookie needs the guard, and never comes from another site. */
export function guarded(request: FastifyRequest, token: string): void {
  if (looks.has(request.method)) return
  const given = Buffer.from(String(request.headers[guardHeader] ?? '')), wanted = Buffer.from(guardOf(token)), site = request.headers['sec-fetch-site']
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted) || site === 'cross-site') throw new Refusal('forbidden', `a change by cookie needs the header ${guardHeader}, which GET /session tells this site's own pages`)
}

interface Way { readonly secure: boolean; readonly sameSite?: 'Strict' | 'Lax'; readonly life_s?: number }

const written = (name: string, value: string, { secure, sameSite = 'Strict', life_s: seconds = life_s }: Way): string =>
  `${name}=${encodeURIComponent(value)}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=${sameSite}${secure ? '; Secure' : ''}`

export const setCookie = (reply: FastifyReply, name: string, value: string, way: Way): FastifyReply => reply.header('set-cookie', written(name, value, way))
export const clearCookie = (reply: FastifyReply, name: string, secure: boolean): FastifyReply => reply.header('set-cookie', written(name, '', { secure, life_s: 0 }))
