import type { Station } from './station.js'

/** What a station does otherwise than the standard says (OCPP-250). Data: a row names hardware and what must be heeded with it. */
export interface Quirks {
  /** Takes 0 as "no limit", or ignores it: 6 A is its least (OCPP-231). */
  readonly noPause?: boolean
  /** Refuses or ignores watts whatever it says. */
  readonly onlyAmperes?: boolean
  /** Has no profile for the whole station. */
  readonly noMaxProfile?: boolean
}

export interface QuirkRow extends Quirks {
  readonly vendor: string
  /** Absent: every model; every firmware. A trailing * stands for the rest. */
  readonly model?: string
  readonly firmware?: string
}

/** Known hardware. An operator adds to it for one station by `settings`, and for a fleet by a row here. */
export const quirkTable: readonly QuirkRow[] = []

const fits = (pattern: string | undefined, text: string | undefined): boolean => {
  if (pattern === undefined) return true
  const [a, b] = [pattern.toLowerCase(), (text ?? '').toLowerCase()]
  return a.endsWith('*') ? b.startsWith(a.slice(0, -1)) : a === b
}

/** What must be heeded with a station: rows of its hardware, later ones over earlier, then what the operator said of it. */
export function quirksOf({ record }: Pick<Station, 'record'>, table: readonly QuirkRow[] = quirkTable): Quirks {
  const { boot } = record
  const rows = boot ? table.filter((r) => fits(r.vendor, boot.vendorName) && fits(r.model, boot.model) && fits(r.firmware, boot.firmwareVersion)) : []
  return Object.assign({}, ...rows.map(({ vendor: _, model: __, firmware: ___, ...quirks }) => quirks), record.quirks ?? {}) as Quirks
}
