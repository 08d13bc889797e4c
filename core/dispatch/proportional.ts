import { CapRoom, type Caps } from '#core/dispatch/caps.js'
import { checkOrder, type Allocation, type BindingConstraint, type Candidate } from '#core/dispatch/candidate.js'
import { byteOrder } from '#core/quantity/order.js'
import type { W } from '#core/quantity/power.js'

export interface ProportionalInput {
  readonly target_W: W
  readonly caps_W?: Caps | undefined
  readonly candidates: readonly Candidate[]
}

/**
 * CORE-063: `x_i = target * a_i / sum(a)`, whole watts, largest remainder, ties by id. Caps: the node whose room runs out
 * at the smallest common fraction freezes its members at that fraction; the others go on. Minimum blocks do not apply.
 */
export function allocateProportional({ target_W, caps_W = {}, candidates }: ProportionalInput): Allocation {
  checkOrder(target_W, caps_W, candidates)
  const ordered = [...candidates].sort((a, b) => byteOrder(a.id, b.id))
  const allocation = new Map<string, W>(ordered.map((c) => [c.id, 0]))
  const room = new CapRoom(caps_W), groups = new NodeGroups(ordered, room)
  const binding: BindingConstraint[] = []
  const available = ordered.reduce((sum, c) => sum + c.avail_W, 0)
  let rest = target_W
  for (;;) {
    const node = groups.tightest(rest)
    if (node === undefined) break
    const share = Math.min(rest, room.left(node))
    rest -= divide(share, groups.freeze(node), room, allocation)
    binding.push({ kind: 'cap', node, limit_W: caps_W[node]! })
  }
  rest -= divide(Math.min(rest, groups.total), groups.open(), room, allocation)
  if (rest > 0 && (available < target_W || binding.length === 0)) binding.push({ kind: 'availability', available_W: available })
  const skipped = ordered.filter((c) => allocation.get(c.id) === 0)
    .map((c) => ({ id: c.id, reason: c.avail_W === 0 ? 'NO_AVAILABILITY' as const : 'CAP' as const }))
  return { mode: 'proportional', solver: 'water-filling', allocation, allocated_W: target_W - rest, shortfall_W: rest, bindingConstraints: binding, skipped: target_W === 0 ? [] : skipped }
}

/** Which candidates stand below each capped node, and how much availability among them is not frozen yet. */
class NodeGroups {
  readonly #members = new Map<string, Candidate[]>()
  readonly #sum = new Map<string, number>()
  readonly #frozen = new Set<Candidate>()
  readonly #all: readonly Candidate[]
  readonly #room: CapRoom
  total = 0

  constructor(ordered: readonly Candidate[], room: CapRoom) {
    this.#all = ordered
    this.#room = room
    const capped = new Set(room.nodes())
    for (const c of ordered) {
      this.total += c.avail_W
      for (const node of new Set(c.path)) {
        if (!capped.has(node)) continue
        const list = this.#members.get(node)
        if (list) list.push(c)
        else this.#members.set(node, [c])
        this.#sum.set(node, (this.#sum.get(node) ?? 0) + c.avail_W)
      }
    }
  }

  /** The capped node that runs out first when all open candidates rise by one fraction towards `rest`; undefined when none does. */
  tightest(rest: W): string | undefined {
    let fraction = this.total === 0 ? 0 : Math.min(1, rest / this.total), found: string | undefined
    for (const [node, sum] of [...this.#sum].sort((a, b) => byteOrder(a[0], b[0]))) {
      const ratio = this.#room.left(node) / sum
      if (sum > 0 && ratio < fraction) {
        fraction = ratio
        found = node
      }
    }
    return found
  }

  open(): Candidate[] {
    return this.#all.filter((c) => !this.#frozen.has(c))
  }

  freeze(node: string): Candidate[] {
    const members = (this.#members.get(node) ?? []).filter((c) => !this.#frozen.has(c))
    for (const c of members) {
      this.#frozen.add(c)
      this.total -= c.avail_W
      for (const n of new Set(c.path)) this.#sum.set(n, (this.#sum.get(n) ?? 0) - c.avail_W)
    }
    return members
  }
}

/** Splits `amount` over members by availability: floors, then single watts by largest remainder, ties by id, never past a cap. */
function divide(amount: W, members: readonly Candidate[], room: CapRoom, allocation: Map<string, W>): W {
  const sum = members.reduce((s, c) => s + c.avail_W, 0)
  if (sum === 0 || amount <= 0) return 0
  // Past 2^53 the product needs BigInt to stay exact; below it, floats are exact and ten times as fast.
  const big = amount * sum > Number.MAX_SAFE_INTEGER
  const parts = members.map((c) => {
    if (!big) return { c, whole: Math.floor((amount * c.avail_W) / sum), remainder: (amount * c.avail_W) % sum }
    const product = BigInt(amount) * BigInt(c.avail_W), of = BigInt(sum)
    return { c, whole: Number(product / of), remainder: Number(product % of) }
  })
  let given = 0
  for (const p of parts) given += give(p.c, p.whole)
  const order = parts.sort((a, b) => b.remainder - a.remainder || byteOrder(a.c.id, b.c.id))
  // One round is the rule; more are only needed where a node's rounding left no room for a watt.
  for (let before = -1; given < amount && before !== given;) {
    before = given
    for (const p of order) if (given < amount) given += give(p.c, 1)
  }
  return given

  function give(c: Candidate, w: W): W {
    const now = allocation.get(c.id)!, take = Math.max(0, Math.min(w, c.avail_W - now, room.room(c.path ?? []).room))
    if (take === 0) return 0
    allocation.set(c.id, now + take)
    room.take(c.path ?? [], take)
    return take
  }
}
