import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { go } from '../route.ts'
import { count } from '../format.ts'
import { t, word } from '../text/index.ts'
import type { Device } from '../types.ts'
import { D, State } from './basics.tsx'

interface Spot {
  readonly device: Device
  readonly x: number
  readonly y: number
  readonly state: string
}
interface Block {
  readonly name: string
  readonly x: number
  readonly y: number
  readonly size: number
  readonly n: number
}

export const deviceState = (d: Device): string => d.delivery?.state ?? (d.enrolment === 'active' ? 'none' : 'notEnrolled')

/** Width over height of the canvas on a desk. */
const aspect = 2.3

/** No coordinates are known: each feeder is a square block, its devices a grid in it. The plan is the grid's, not the street's. */
function layout(devices: readonly Device[]): { spots: Spot[]; blocks: Block[]; width: number; height: number } {
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
    blocks.push({ name, x: x0, y: y0, size: side, n: mine.length })
    for (const [k, device] of mine.entries())
      spots.push({ device, x: x0 + (k % side) + 0.5, y: y0 + Math.floor(k / side) + 0.5, state: deviceState(device) })
  }
  return { spots, blocks, width: across * (side + gap), height: Math.max(1, Math.ceil(names.length / across)) * (side + gap) + gap / 2 }
}

const shapes: Readonly<Record<string, 'circle' | 'square' | 'cross' | 'triangle'>> = {
  started: 'circle',
  completed: 'circle',
  accepted: 'circle',
  noComms: 'cross',
  rejected: 'cross',
  cancelled: 'cross',
  optedOut: 'triangle',
  partial: 'triangle',
  superseded: 'triangle',
}
const colours = { circle: '--good', cross: '--bad', triangle: '--warn', square: '--soft' } as const

function resolved(name: string): string {
  const probe = document.createElement('i')
  probe.style.color = `var(${name})`
  document.body.append(probe)
  const found = getComputedStyle(probe).color
  probe.remove()
  return found
}

/** All devices on one canvas, 10,000 smoothly: one path per shape, nothing per point in the document. The list carries the same for those who cannot see it. */
export function DeviceMap({ devices }: { devices: readonly Device[] }) {
  const canvas = useRef<HTMLCanvasElement>(null),
    view = useRef({ scale: 1, x: 0, y: 0 }),
    [over, setOver] = useState<Spot>(),
    plan = useMemo(() => layout(devices), [devices])
  const draw = useRef<() => void>(() => undefined)
  useEffect(() => {
    const el = canvas.current!,
      ctx = el.getContext('2d')!
    const fit = (): number => Math.min(el.clientWidth / plan.width, el.clientHeight / plan.height)
    let asked = 0
    const paint = (): void => {
      asked = 0
      const ratio = devicePixelRatio,
        k = fit() * view.current.scale
      el.width = el.clientWidth * ratio
      el.height = el.clientHeight * ratio
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
      ctx.clearRect(0, 0, el.clientWidth, el.clientHeight)
      const px = (x: number): number => (x - view.current.x) * k,
        py = (y: number): number => (y - view.current.y) * k
      ctx.strokeStyle = resolved('--line')
      ctx.fillStyle = resolved('--soft')
      ctx.font = '12px system-ui'
      for (const b of plan.blocks) {
        ctx.strokeRect(px(b.x), py(b.y), b.size * k, b.size * k)
        ctx.fillText(`${b.name || '–'} (${count(b.n)})`, px(b.x), py(b.y) - 4)
      }
      const r = Math.max(1, Math.min(9, k * 0.36))
      for (const shape of ['square', 'circle', 'triangle', 'cross'] as const) {
        ctx.beginPath()
        for (const s of plan.spots) {
          if ((shapes[s.state] ?? 'square') !== shape) continue
          const x = px(s.x),
            y = py(s.y)
          if (x < -r || y < -r || x > el.clientWidth + r || y > el.clientHeight + r) continue
          if (shape === 'circle') {
            ctx.moveTo(x + r, y)
            ctx.arc(x, y, r, 0, 6.2832)
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
        const ink = resolved(colours[shape])
        if (shape === 'cross') {
          ctx.strokeStyle = ink
          ctx.lineWidth = Math.max(1.5, r / 3)
          ctx.stroke()
          ctx.lineWidth = 1
        } else {
          ctx.fillStyle = ink
          ctx.fill()
        }
      }
      el.dataset.points = String(plan.spots.length)
    }
    const soon = (): void => {
      if (!asked) asked = requestAnimationFrame(paint)
    }
    draw.current = soon
    soon()
    const at = (e: { offsetX: number; offsetY: number }): { x: number; y: number } => {
      const k = fit() * view.current.scale
      return { x: e.offsetX / k + view.current.x, y: e.offsetY / k + view.current.y }
    }
    const nearest = (e: MouseEvent): Spot | undefined => {
      const p = at(e)
      return plan.spots.find((s) => Math.abs(s.x - p.x) < 0.5 && Math.abs(s.y - p.y) < 0.5)
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
      if (Math.abs(p.x - grip.x) + Math.abs(p.y - grip.y) > 0.3) moved = true
      view.current = { ...view.current, x: view.current.x + grip.x - p.x, y: view.current.y + grip.y - p.y }
      soon()
    }
    const up = (e: PointerEvent): void => {
      grip = undefined
      const s = nearest(e)
      if (!moved && s) go(`/devices/${s.device.id}`)
    }
    const wheel = (e: WheelEvent): void => {
      e.preventDefault()
      const before = at(e),
        scale = Math.max(1, Math.min(60, view.current.scale * Math.exp(-e.deltaY / 400)))
      view.current = { ...view.current, scale }
      const after = at(e)
      view.current =
        scale === 1 ? { scale: 1, x: 0, y: 0 } : { scale, x: view.current.x + before.x - after.x, y: view.current.y + before.y - after.y }
      soon()
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
      <p class="soft">{t('device.mapHelp')}</p>
      <div class="map-box">
        <canvas class="map" ref={canvas} role="img" aria-label={t('device.mapLabel', { n: count(devices.length) })} />
        {over && (
          <div class="map-tip">
            <D>{over.device.name}</D> <State of={over.state} />
          </div>
        )}
      </div>
      <p class="row soft">
        {t('device.legend')}:{' '}
        {[...new Set(plan.spots.map((s) => s.state))].map((s) => (
          <span key={s} class="row">
            <Mark shape={shapes[s] ?? 'square'} /> {word('state', s)}
          </span>
        ))}
      </p>
    </section>
  )
}

const Mark = ({ shape }: { shape: keyof typeof colours }) => (
  <svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true" class={`mark ${shape}`}>
    {shape === 'circle' ? (
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
