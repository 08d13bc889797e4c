import type { Device, Location } from '../types.ts'

export interface Spot {
  readonly device: Device
  readonly x: number
  readonly y: number
  readonly state: string
  /** It stands where it really is, so that others may stand in the same place. */
  readonly placed?: true
}
export interface Block {
  readonly name: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly n: number
}
export interface Plan {
  readonly spots: Spot[]
  readonly blocks: Block[]
  readonly width: number
  readonly height: number
}

export const deviceState = (d: Device): string => d.delivery?.state ?? (d.enrolment === 'active' ? 'none' : 'notEnrolled')

/** Width over height of the canvas on a desk. */
const aspect = 2.3

/** Where nothing else is known, each feeder is a square block, its devices a grid in it: the plan of the grid, not of the streets. */
function byFeeder(devices: readonly Device[]): Plan {
  const feeders = new Map<string, Device[]>()
  for (const d of devices) feeders.set(d.gridPath[0] ?? '', [...(feeders.get(d.gridPath[0] ?? '') ?? []), d])
  const names = [...feeders.keys()].sort((a, b) => a.localeCompare(b, undefined, { numeric: true })),
    spots: Spot[] = [],
    blocks: Block[] = []
  const most = Math.max(1, ...[...feeders.values()].map((x) => x.length)),
    side = Math.ceil(Math.sqrt(most)),
    gap = Math.max(1.5, side * 0.25),
    cell = side + gap
  const scale = (across: number): number => Math.min(aspect / (across * cell), 1 / (Math.ceil(names.length / across) * cell + gap / 2))
  let across = 1
  for (let n = 2; n <= names.length; n++) if (scale(n) > scale(across)) across = n
  for (const [i, name] of names.entries()) {
    const x0 = (i % across) * (side + gap) + gap / 2,
      y0 = Math.floor(i / across) * (side + gap) + gap,
      mine = feeders.get(name)!
    blocks.push({ name, x: x0, y: y0, width: side, height: side, n: mine.length })
    for (const [k, device] of mine.entries())
      spots.push({ device, x: x0 + (k % side) + 0.5, y: y0 + Math.floor(k / side) + 0.5, state: deviceState(device) })
  }
  return { spots, blocks, width: across * (side + gap), height: Math.max(1, Math.ceil(names.length / across)) * (side + gap) + gap / 2 }
}

/** Devices whose place is told, north up, a degree of longitude as short as it is there; one outline around all. */
function byPlace(devices: readonly (Device & { location: Location })[], name: string): Plan {
  let south = 90, north = -90, west = 180, east = -180
  for (const { location: l } of devices) {
    south = Math.min(south, l.latitude)
    north = Math.max(north, l.latitude)
    west = Math.min(west, l.longitude)
    east = Math.max(east, l.longitude)
  }
  const narrow = Math.max(0.05, Math.cos((((south + north) / 2) * Math.PI) / 180)), wide = Math.max((east - west) * narrow, 1e-6), high = Math.max(north - south, 1e-6)
  // about as many units of length as a grid of these devices would have, so that points are as large as beside it
  const unit = Math.max(4, Math.sqrt(devices.length) * 1.6) / Math.max(wide / aspect, high), width = Math.max(4, wide * unit), height = Math.max(4, high * unit), margin = Math.max(1.5, 0.05 * Math.max(width / aspect, height))
  const spots = devices.map((device): Spot => ({
    device, state: deviceState(device), placed: true,
    x: margin + (width - wide * unit) / 2 + (device.location.longitude - west) * narrow * unit,
    y: margin + 1 + (height - high * unit) / 2 + (north - device.location.latitude) * unit,
  }))
  return { spots, blocks: [{ name, x: margin - 1, y: margin, width: width + 2, height: height + 2, n: devices.length }], width: width + 2 * margin, height: height + 2 * margin + 1 }
}

/** A tall plan stands in the middle of a wide canvas. */
function middled(plan: Plan): Plan {
  const width = Math.max(plan.width, plan.height * aspect),
    dx = (width - plan.width) / 2,
    moved = <T extends { x: number }>(s: T): T => ({ ...s, x: s.x + dx })
  return { ...plan, spots: plan.spots.map(moved), blocks: plan.blocks.map(moved), width }
}

/** Who has a place stands there; who has none, in the block of the feeder. */
export function layout(devices: readonly Device[], placed: string): Plan {
  const known = devices.filter((d): d is Device & { location: Location } => d.location !== null && d.location !== undefined)
  if (known.length === 0) return byFeeder(devices)
  const map = byPlace(known, placed), rest = devices.length > known.length ? byFeeder(devices.filter((d) => !d.location)) : undefined
  if (!rest) return middled(map)
  // beneath or beside, whichever leaves the points larger
  const wide = map.width / rest.width, high = map.height / rest.height
  const beneath = { k: wide, dx: 0, dy: map.height, width: map.width, height: map.height + rest.height * wide }, beside = { k: high, dx: map.width, dy: 0, width: map.width + rest.width * high, height: map.height }
  const size = ({ width, height }: { width: number; height: number }): number => Math.min(aspect / width, 1 / height), { k, dx, dy, width, height } = size(beneath) > size(beside) ? beneath : beside
  const moved = <T extends { x: number; y: number }>(s: T): T => ({ ...s, x: s.x * k + dx, y: s.y * k + dy })
  return {
    spots: [...map.spots, ...rest.spots.map(moved)], blocks: [...map.blocks, ...rest.blocks.map((b) => ({ ...moved(b), width: b.width * k, height: b.height * k }))],
    width, height,
  }
}
