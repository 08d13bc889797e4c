/** One sign for each thing that may have become of a device's part: told apart without colour (UX-053). */
export type Shape = 'circle' | 'square' | 'triangle' | 'ring' | 'cross'

const shapes: Readonly<Record<string, Shape>> = {
  started: 'circle',
  completed: 'circle',
  accepted: 'circle',
  optedOut: 'triangle',
  partial: 'triangle',
  superseded: 'triangle',
  noComms: 'ring',
  rejected: 'cross',
  cancelled: 'cross',
}
export const shapeOf = (state: string): Shape => shapes[state] ?? 'square'
export const colourOf: Readonly<Record<Shape, string>> = { circle: '--good', cross: '--bad', ring: '--bad', triangle: '--warn', square: '--soft' }

/** What needs a person most comes last: it is drawn over the others, and a cluster shows it. */
export const byConcern: readonly Shape[] = ['square', 'circle', 'triangle', 'ring', 'cross']
export const worstOf = (states: readonly string[]): Shape => byConcern[Math.max(0, ...states.map((s) => byConcern.indexOf(shapeOf(s))))]!

/** Adds one sign to the path of its shape. */
export function trace(ctx: CanvasRenderingContext2D, shape: Shape, x: number, y: number, r: number): void {
  if (shape === 'circle' || shape === 'ring') {
    ctx.moveTo(x + r, y)
    ctx.arc(x, y, r, 0, 2 * Math.PI)
  } else if (shape === 'square') ctx.rect(x - r * 0.7, y - r * 0.7, r * 1.4, r * 1.4)
  else if (shape === 'triangle') {
    ctx.moveTo(x, y - r)
    ctx.lineTo(x + r, y + r)
    ctx.lineTo(x - r, y + r)
    ctx.closePath()
  } else {
    ctx.moveTo(x - r, y - r)
    ctx.lineTo(x + r, y + r)
    ctx.moveTo(x + r, y - r)
    ctx.lineTo(x - r, y + r)
  }
}

/** Draws the path: a cross and a ring are lines, the others are filled. */
export function ink(ctx: CanvasRenderingContext2D, shape: Shape, colour: string, r: number): void {
  if (shape === 'cross' || shape === 'ring') {
    ctx.strokeStyle = colour
    ctx.lineWidth = Math.max(1.5, r / 3)
    ctx.stroke()
    ctx.lineWidth = 1
  } else {
    ctx.fillStyle = colour
    ctx.fill()
  }
}
