import type { Channel, Quality } from '#core/reading/reading.js'

/** Positions in these lists are what the table holds: append only. */
export const channels: readonly Channel[] = ['import', 'export']
export const qualities: readonly Quality[] = ['RAW', 'VALID', 'SUSPECT', 'EST_LINEAR', 'EST_LIKEDAY', 'EST_PROFILE', 'EDITED', 'MISSING']
