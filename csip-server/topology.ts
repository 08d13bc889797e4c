import { createHash } from 'node:crypto'
import type { NewDocument } from '#core/port/store/document.js'
import type { CsipContext } from '#csip-server/context.js'
import { mridKey } from '#csip-server/place.js'
import { mridOf } from '#csip-server/mrid.js'
import type { Value } from '#csip-server/served.js'

/** SEP-121, SEP-122: depth in the grid and the primacy its program gets; the service point wins. A free group has no place in the grid. */
export const primacyOf = { system: 89, subtransmission: 88, substation: 87, feeder: 86, segment: 85, transformer: 84, servicePoint: 83, free: 89 } as const
export type Level = keyof typeof primacyOf

export interface Group {
  readonly name: string
  readonly level: Level
  /** Other than the level's own. */
  readonly primacy?: number
  /** Of its FunctionSetAssignments; made from the name when not given. */
  readonly mRID?: string
}

/** An address holds only `[A-Za-z0-9_.-]` (SEP-034); other names keep what they can and get a short hash. */
export function groupId(name: string): string {
  const clean = name.replace(/[^A-Za-z0-9_.-]+/g, '-').replace(/^\.+/, '').slice(0, 48)
  return clean === name && clean !== '' ? name : `${clean || 'g'}-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`
}

/** Root first. Interpretation: of bare names 'system' is the system, the last one the service point, the rest feeders. */
export const groupsOf = (names: readonly (string | Group)[]): Group[] => names.map((n, i) => typeof n !== 'string' ? n
  : { name: n, level: n === 'system' ? 'system' : i === names.length - 1 && i > 0 ? 'servicePoint' : 'feeder' })

/** Makes what is missing of each group: its FunctionSetAssignments, its DERProgram and the fail-safe default (CORE-097, CORE-202). */
export async function ensureGroups(ctx: CsipContext, groups: readonly Group[]): Promise<void> {
  const unique = [...new Map(groups.map((g) => [groupId(g.name), g])).entries()]
  const documents: NewDocument<Value>[] = unique.flatMap(([id, group]) => documentsOf(ctx, id, group))
  for (let at = 0; at < documents.length; at += 3000) {
    await ctx.documents.insertMany(documents.slice(at, at + 3000), ctx.clock.nowMs(), { onConflict: 'skip' })
  }
}

function documentsOf(ctx: CsipContext, id: string, group: Group): NewDocument<Value>[] {
  const { tenant } = ctx
  const name = (what: string): string => mridOf(ctx, `${tenant} ${what} ${id}`)
  const description = group.name.slice(0, 32), primacy = group.primacy ?? primacyOf[group.level]
  const fsa = group.mRID?.toUpperCase() ?? name('FunctionSetAssignments'), program = name('DERProgram'), otherwise = name('DefaultDERControl')
  return [
    { tenant, kind: 'csip/FunctionSetAssignments', id, parent: '', key: mridKey(fsa), targets: [id], body: { mRID: fsa, description, version: 0, level: group.level } },
    { tenant, kind: 'csip/DERProgram', id, parent: '', key: mridKey(program), targets: [id], sort1: primacy, body: { mRID: program, description, version: 0, primacy } },
    { tenant, kind: 'csip/DefaultDERControl', id, parent: id, key: mridKey(otherwise), body: { mRID: otherwise, version: 0, DERControlBase: { opModConnect: true, opModEnergize: true } } },
  ]
}
