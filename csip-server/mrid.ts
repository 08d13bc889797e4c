import { createHash } from 'node:crypto'
import type { CsipContext } from '#csip-server/context.js'

type Named = Pick<CsipContext, 'config'>

/** SEP-063: the last 8 digits name the utility, as a binary number or, for CSIP-AUS clients, as decimal digits. */
const tail = ({ config }: Named): string =>
  config.mridPen === 'decimal' ? String(config.pen).padStart(8, '0').slice(-8) : config.pen.toString(16).toUpperCase().padStart(8, '0')

export const newMRID = (ctx: Named & Pick<CsipContext, 'ids'>): string => ctx.ids.hex(12).toUpperCase() + tail(ctx)

/** The same name always gives the same mRID, which makes repeated orders harmless (REL-002). */
export const mridOf = (ctx: Named, name: string): string =>
  createHash('sha256').update(name).digest('hex').slice(0, 24).toUpperCase() + tail(ctx)
