import { count } from '../format.ts'
import { clustered, type Cluster } from './map-cluster.ts'
import type { Plan, Spot } from './map-layout.ts'
import { byConcern, colourOf, ink, shapeOf, trace, worstOf } from './map-marks.ts'
import { fit, type View } from './map-view.ts'
import { colour } from './plot-colour.ts'

/** Pixels across within which devices at real places become one cluster. */
const cell = 44

/** Draws the plan as it is looked at: one path per shape, nothing per point in the document. Says which clusters it made. */
export function drawMap(el: HTMLCanvasElement, plan: Plan, view: View): Cluster[] {
  const ctx = el.getContext('2d')!,
    k = fit(el, plan) * view.scale,
    px = (x: number): number => (x - view.x) * k,
    py = (y: number): number => (y - view.y) * k
  el.width = el.clientWidth * devicePixelRatio
  el.height = el.clientHeight * devicePixelRatio
  ctx.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0)
  ctx.strokeStyle = colour('--line')
  ctx.fillStyle = colour('--soft')
  ctx.font = '12px system-ui'
  for (const b of plan.blocks) {
    ctx.strokeRect(px(b.x), py(b.y), b.width * k, b.height * k)
    ctx.fillText(`${b.name || '–'} (${count(b.n)})`, px(b.x), py(b.y) - 4)
  }
  const r = Math.max(1, Math.min(9, k * 0.36)),
    inSight = (x: number, y: number): boolean => x >= -r && y >= -r && x <= el.clientWidth + r && y <= el.clientHeight + r,
    seen = plan.spots.filter((s) => inSight(px(s.x), py(s.y))),
    { clusters, single } = clustered(seen, px, py, cell)
  drawSingle(ctx, single, px, py, r)
  for (const c of clusters) drawCluster(ctx, c)
  el.dataset.points = String(plan.spots.length)
  el.dataset.clusters = clusters.map((c) => c.spots.length).join()
  el.dataset.clusterAt = clusters[0] ? `${Math.round(clusters[0].x)} ${Math.round(clusters[0].y)}` : ''
  return clusters
}

function drawSingle(ctx: CanvasRenderingContext2D, spots: readonly Spot[], px: (x: number) => number, py: (y: number) => number, r: number): void {
  for (const shape of byConcern) {
    ctx.beginPath()
    // a sign at a real place stays large enough to be hit
    for (const s of spots) if (shapeOf(s.state) === shape) trace(ctx, shape, px(s.x), py(s.y), s.placed ? Math.max(5, r) : r)
    ink(ctx, shape, colour(colourOf[shape]), r)
  }
}

/** A disc with the number of its devices; its edge, and the sign above it, are of the one that needs a person most. */
function drawCluster(ctx: CanvasRenderingContext2D, { x, y, spots }: Cluster): void {
  const worst = worstOf(spots.map((s) => s.state)),
    edge = colour(colourOf[worst]),
    r = radius(spots.length)
  ctx.beginPath()
  ctx.arc(x, y, r, 0, 2 * Math.PI)
  ctx.fillStyle = colour('--card')
  ctx.fill()
  ctx.strokeStyle = edge
  ctx.lineWidth = 2
  ctx.stroke()
  ctx.lineWidth = 1
  ctx.fillStyle = colour('--ink')
  ctx.textAlign = 'center'
  ctx.textBaseline = 'middle'
  ctx.fillText(count(spots.length), x, y)
  ctx.textAlign = 'start'
  ctx.textBaseline = 'alphabetic'
  ctx.beginPath()
  trace(ctx, worst, x + r * 0.7, y - r * 0.7, 4)
  ink(ctx, worst, edge, 4)
}

export const radius = (n: number): number => 10 + 2.5 * Math.log10(n)
