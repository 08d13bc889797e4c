import { fromMinor, type Money } from '#core/quantity/money.js'
import { byteOrder } from '#core/quantity/order.js'
import { exactMinor } from '#core/settlement/split.js'
import { Refusal } from '#core/error.js'

export const postingKind = 'core/LedgerPosting'

/** One side of a posting; positive = the account receives. The entries of a posting sum to zero. */
export interface Entry {
  readonly posting: string
  readonly account: string
  readonly amount: Money
}

export interface Posting {
  readonly id: string
  readonly currency: string
  readonly entries: readonly Entry[]
}

/** CORE-190: an issued settlement posts buyer → aggregator for the revenue (and tax), then aggregator → each customer and each further party of the contract (CORE-184). */
export function post(input: {
  id: string; currency: string; buyer: string; aggregator: string; revenue: Money; tax?: Money | undefined; taxAuthority?: string | undefined; payments: Readonly<Record<string, Money>>; parties?: Readonly<Record<string, Money>> | undefined
}): Posting {
  const { id, currency, buyer, aggregator, revenue, tax = '0', taxAuthority = 'tax', payments, parties = {} } = input
  const entries: Entry[] = []
  const move = (from: string, to: string, amount: Money): void => {
    const minor = exactMinor(amount, currency)
    if (minor === 0n) return
    entries.push({ posting: id, account: from, amount: fromMinor(-minor, currency) }, { posting: id, account: to, amount: fromMinor(minor, currency) })
  }
  move(buyer, aggregator, revenue)
  move(buyer, taxAuthority, tax)
  for (const party of Object.keys(payments).sort(byteOrder)) move(aggregator, party, payments[party]!)
  for (const party of Object.keys(parties).sort(byteOrder)) move(aggregator, `party:${party}`, parties[party]!)
  return { id, currency, entries }
}

export interface TrialBalance {
  readonly accounts: Readonly<Record<string, Money>>
  readonly total: Money
  readonly balanced: boolean
}

/** Sum by account and over all; zero for a closed period (CORE-190). One currency at a time. */
export function trialBalance(currency: string, postings: readonly Posting[]): TrialBalance {
  const sums = new Map<string, bigint>()
  let total = 0n
  for (const p of postings) {
    if (p.currency !== currency) throw new Refusal('invalid', `posting '${p.id}' is in ${p.currency}, not ${currency}`)
    for (const e of p.entries) {
      const minor = exactMinor(e.amount, currency)
      sums.set(e.account, (sums.get(e.account) ?? 0n) + minor)
      total += minor
    }
  }
  const accounts = Object.fromEntries([...sums].sort((a, b) => byteOrder(a[0], b[0])).map(([name, minor]) => [name, fromMinor(minor, currency)]))
  return { accounts, total: fromMinor(total, currency), balanced: total === 0n }
}

export interface Claim {
  readonly program: string
  readonly point: string
  readonly start: number
  readonly end: number
}

/** CORE-189: an interval's Wh of a point is claimed by one program; claims by two that may not share it fail the run, with the list. */
export function doubleClaims(claims: readonly Claim[], mayStack: (a: string, b: string) => boolean = () => false): { point: string; start: number; end: number; programs: [string, string] }[] {
  const byPoint = new Map<string, Claim[]>()
  for (const c of claims) {
    const list = byPoint.get(c.point)
    if (list) list.push(c)
    else byPoint.set(c.point, [c])
  }
  const found = []
  for (const [point, list] of [...byPoint].sort((a, b) => byteOrder(a[0], b[0]))) {
    const ordered = list.sort((a, b) => a.start - b.start || byteOrder(a.program, b.program))
    for (let i = 0; i < ordered.length; i++) {
      for (let j = i + 1; j < ordered.length && ordered[j]!.start < ordered[i]!.end; j++) {
        const a = ordered[i]!, b = ordered[j]!
        if (a.program !== b.program && !mayStack(a.program, b.program)) {
          found.push({ point, start: b.start, end: Math.min(a.end, b.end), programs: [a.program, b.program].sort(byteOrder) as [string, string] })
        }
      }
    }
  }
  return found
}
