import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { go } from '../route.ts'
import { count } from '../format.ts'
import { t, word } from '../text/index.ts'
import type { Device } from '../types.ts'
import { D, State } from './basics.tsx'
import type { Cluster } from './map-cluster.ts'
import { drawMap, radius } from './map-draw.ts'
import { deviceState, layout, type Spot } from './map-layout.ts'
import { type Shape, shapeOf } from './map-marks.ts'
import { around, closest, fit, type View } from './map-view.ts'

export { deviceState }

/** All devices on one canvas, 10,000 smoothly: one path per shape, nothing per point in the document. The list carries the same for those who cannot see it. */
export function DeviceMap({ devices }: { devices: readonly Device[] }) {
  const canvas = useRef<HTMLCanvasElement>(null),
    view = useRef<View>({ scale: 1, x: 0, y: 0 }),
    [over, setOver] = useState<readonly Spot[]>([]),
    plan = useMemo(() => layout(devices, t('device.byPlace')), [devices])
  useEffect(() => {
    const el = canvas.current!
    let asked = 0,
      clusters: Cluster[] = []
    const paint = (): void => {
      asked = 0
      clusters = drawMap(el, plan, view.current)
    }
    const soon = (): void => {
      if (!asked) asked = requestAnimationFrame(paint)
    }
    soon()
    const at = (e: { offsetX: number; offsetY: number }): { x: number; y: number } => {
      const k = fit(el, plan) * view.current.scale
      return { x: e.offsetX / k + view.current.x, y: e.offsetY / k + view.current.y }
    }
    /** What the pointer is on: a cluster, or one device. */
    const clusterAt = (e: MouseEvent): Cluster | undefined => clusters.find((c) => Math.hypot(c.x - e.offsetX, c.y - e.offsetY) <= radius(c.spots.length))
    const nearest = (e: MouseEvent): readonly Spot[] => {
      const cluster = clusterAt(e),
        p = at(e),
        // a place of the grid's plan is a square of one unit; a real place is as large as its sign
        reach = (s: Spot): number => (s.placed ? 9 / (fit(el, plan) * view.current.scale) : 0.5),
        one = plan.spots.find((s) => Math.abs(s.x - p.x) < reach(s) && Math.abs(s.y - p.y) < reach(s))
      return cluster?.spots ?? (one ? [one] : [])
    }
    const look = (to: View): void => {
      view.current = to.scale <= 1 ? { scale: 1, x: 0, y: 0 } : to
      soon()
    }
    /** The point under the pointer stays where it is. */
    const zoom = (e: MouseEvent, by: number): void => {
      const before = at(e),
        scale = Math.max(1, Math.min(closest(plan), view.current.scale * by)),
        k = fit(el, plan) * scale
      look({ scale, x: before.x - e.offsetX / k, y: before.y - e.offsetY / k })
    }
    let grip: { x: number; y: number } | undefined,
      moved = false
    const down = (e: PointerEvent): void => {
      grip = at(e)
      moved = false
      el.setPointerCapture(e.pointerId)
    }
    const move = (e: PointerEvent): void => {
      if (!grip) {
        setOver(nearest(e))
        return
      }
      const p = at(e)
      if ((Math.abs(p.x - grip.x) + Math.abs(p.y - grip.y)) * fit(el, plan) * view.current.scale > 4) moved = true
      view.current = { ...view.current, x: view.current.x + grip.x - p.x, y: view.current.y + grip.y - p.y }
      soon()
    }
    const up = (e: PointerEvent): void => {
      grip = undefined
      const found = nearest(e),
        near = moved || found.length < 2 ? undefined : around(el, plan, found)
      if (near) look(near)
      // what stands in one place stays together, however near one comes
      else if (!moved && found[0]) go(`/devices/${found[0].device.id}`)
    }
    const wheel = (e: WheelEvent): void => {
      e.preventDefault()
      zoom(e, Math.exp(-e.deltaY / 400))
    }
    el.addEventListener('pointerdown', down)
    el.addEventListener('pointermove', move)
    el.addEventListener('pointerup', up)
    el.addEventListener('wheel', wheel, { passive: false })
    const wide = new ResizeObserver(soon)
    wide.observe(el)
    addEventListener('loadstone.theme', soon)
    return () => {
      wide.disconnect()
      cancelAnimationFrame(asked)
      removeEventListener('loadstone.theme', soon)
      el.removeEventListener('pointerdown', down)
      el.removeEventListener('pointermove', move)
      el.removeEventListener('pointerup', up)
      el.removeEventListener('wheel', wheel)
    }
  }, [plan])
  return (
    <section class="card">
      <p class="soft">{t(devices.some((d) => d.location) ? 'device.mapPlaced' : 'device.mapHelp')}</p>
      <div class="map-box">
        <canvas class="map" ref={canvas} role="img" aria-label={t('device.mapLabel', { n: count(devices.length) })} />
        {over.length > 0 && <Tip of={over} />}
      </div>
      <p class="row soft">
        {t('device.legend')}:{' '}
        {[...new Set(plan.spots.map((s) => s.state))].map((s) => (
          <span key={s} class="row">
            <Mark shape={shapeOf(s)} /> {word('state', s)}
          </span>
        ))}
      </p>
    </section>
  )
}

/** One device by its name, a cluster by what became of its devices. */
const Tip = ({ of }: { of: readonly Spot[] }) => (
  <div class="map-tip">
    {of.length === 1 ? <D>{of[0]!.device.name}</D> : <span>{t('device.cluster', { n: count(of.length) })}</span>}{' '}
    {[...new Set(of.map((s) => s.state))].map((s) => (
      <span key={s} class="row">
        <State of={s} /> {of.length > 1 && <D>{count(of.filter((x) => x.state === s).length)}</D>}
      </span>
    ))}
  </div>
)

const Mark = ({ shape }: { shape: Shape }) => (
  <svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true" class={`mark ${shape}`}>
    {shape === 'circle' || shape === 'ring' ? (
      <circle r="5" />
    ) : shape === 'square' ? (
      <rect x="-4" y="-4" width="8" height="8" />
    ) : shape === 'triangle' ? (
      <path d="M0-5L5 5H-5Z" />
    ) : (
      <path d="M-4-4L4 4M4-4L-4 4" />
    )}
  </svg>
)
