/**
 * Who is turned away first when there is more to do than can be done (REL-070): from what can wait to what must not. `safety` is never
 * turned away: stop, cancel, release, opt-outs and what watches the server.
 */
export const ranks = ['export', 'telemetry', 'change', 'dispatch', 'safety'] as const
export type Rank = (typeof ranks)[number]

export interface Limits {
  /** Requests that are served at once without anybody waiting long; more of them only of the ranks that may. */
  readonly atOnce: number
  /** Of one tenant, sustained and in a burst (REL-071). */
  readonly perSecond: number
  readonly burst: number
  /** Share of `atOnce` that one tenant may hold; the rest is for the others. */
  readonly tenantShare: number
}

/** Measured on two cores: a door that is full of orders answers some 200 a second, and 64 at once wait less than a second for the pool of 16. */
export const usualLimits: Limits = { atOnce: 64, perSecond: 200, burst: 2000, tenantShare: 0.75 }

/** Share of `atOnce` up to which each rank is let in. Interpretation: dispatch may fill what cannot be filled by anything else four times over. */
const upTo: Readonly<Record<Rank, number>> = { export: 0.5, telemetry: 0.7, change: 0.85, dispatch: 4, safety: Infinity }
/** Seconds after which it is worth to ask again: what can wait waits longer. */
const again_s: Readonly<Record<Rank, number>> = { export: 10, telemetry: 5, change: 3, dispatch: 1, safety: 1 }

export type Verdict = { readonly admitted: true } | { readonly admitted: false; readonly why: 'busy' | 'budget'; readonly retryAfter_s: number }

interface Account {
  tokens: number
  at: number
  held: number
}

/**
 * Counts what is being served, by tenant, and a budget of requests for each of them, by the clock that is handed in. `enter` and `leave`
 * come in pairs for what was admitted.
 */
export class Admission {
  readonly #limits: Limits
  readonly #nowMs: () => number
  readonly #tenants = new Map<string, Account>()
  #serving = 0

  constructor(limits: Limits, nowMs: () => number) {
    this.#limits = limits
    this.#nowMs = nowMs
  }

  get serving(): number {
    return this.#serving
  }

  enter(tenant: string | undefined, rank: Rank): Verdict {
    const { atOnce, tenantShare } = this.#limits, account = tenant === undefined ? undefined : this.#account(tenant)
    if (rank !== 'safety') {
      if (this.#serving >= atOnce * upTo[rank]) return { admitted: false, why: 'busy', retryAfter_s: again_s[rank] }
      if (account) {
        // REL-071: places and requests of its own; a flood finds only its own door closed
        if (account.held >= atOnce * Math.min(upTo[rank], 1) * tenantShare) return { admitted: false, why: 'budget', retryAfter_s: again_s[rank] }
        if (account.tokens < 1) return { admitted: false, why: 'budget', retryAfter_s: Math.max(1, Math.ceil((1 - account.tokens) / this.#limits.perSecond)) }
        account.tokens -= 1
      }
    }
    this.#serving += 1
    if (account) account.held += 1
    return { admitted: true }
  }

  leave(tenant: string | undefined): void {
    this.#serving -= 1
    const account = tenant === undefined ? undefined : this.#tenants.get(tenant)
    if (account) account.held -= 1
  }

  #account(tenant: string): Account {
    const now = this.#nowMs(), { perSecond, burst } = this.#limits, known = this.#tenants.get(tenant)
    if (!known) {
      const fresh = { tokens: burst, at: now, held: 0 }
      this.#tenants.set(tenant, fresh)
      return fresh
    }
    // a clock that was set back gives nothing and takes nothing
    known.tokens = Math.min(burst, known.tokens + (Math.max(0, now - known.at) / 1000) * perSecond)
    known.at = now
    return known
  }
}

const safe = /^(?:stop|opt-outs)(?:\/|$)|^dispatches\/[^/]+\/(?:cancel|release)$/
const dispatching = /^(?:dispatches|flex-orders|session)(?:\/|$)/
const measured = /^(?:readings|availability|weather|prognoses)(?:\/|$)/
/** Calculations and exports that change nothing although they are posted. */
const asking = /^(?:aggregates|baselines)(?:\/|$)/
const watching = /^\/(?:healthz|readyz|livez|version|metrics)(?:\/|$|\?)/

/** The rank of a request, by what it is about; a page of the console is as good as a list. */
export function rankOf(method: string, url: string): Rank {
  const path = url.split('?')[0]!
  if (watching.test(path)) return 'safety'
  if (!path.startsWith('/api/v1/')) return path.startsWith('/session') ? 'dispatch' : 'export'
  const rest = path.slice('/api/v1/'.length).replace(/\/+$/, ''), reads = method === 'GET' || method === 'HEAD'
  if (safe.test(rest) && !(reads && rest === 'opt-outs')) return 'safety'
  // one dispatch and how it goes is asked for by who runs it; the list of all of them is a list
  if (dispatching.test(rest)) return reads && rest === 'dispatches' ? 'export' : 'dispatch'
  if (reads || asking.test(rest)) return 'export'
  return measured.test(rest) ? 'telemetry' : 'change'
}
