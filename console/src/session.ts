import { useEffect, useState } from 'preact/hooks'
import { get } from './api.ts'
import { useLoad } from './live.ts'

export interface Me {
  readonly user: string
  readonly roles: readonly string[]
  readonly tenant: string
  readonly now: string
  readonly rate: number
}

let offset = { server: Date.now(), browser: Date.now(), rate: 1 }
let mine: Me | undefined
let zones: readonly string[] = []

/** The server's clock: a demo runs in its own time, and every age is told by the clock that stamped the number. */
export const serverNow = (): number => offset.server + (Date.now() - offset.browser) * offset.rate
export const rate = (): number => offset.rate
/** More than a minute off the browser's clock: a demo. */
export const isDemoClock = (): boolean => offset.rate !== 1 || Math.abs(serverNow() - Date.now()) > 120_000

/** Who is signed in; asked again now and then, which keeps the clock right. */
export function useMe(): { me: Me | undefined; error: Error | undefined; reload: () => void } {
  const { data, error, reload } = useLoad(
    async () => {
      const sent = Date.now(),
        me = await get<Me>('/me'),
        now = Date.now()
      offset = { server: Date.parse(me.now), browser: (sent + now) / 2, rate: me.rate }
      if (zones.length === 0)
        zones = (await get<{ items: { timeZone: string }[] }>('/programs').catch(() => ({ items: [] }))).items.map((p) => p.timeZone)
      mine = me
      return me
    },
    [],
    { every: 5000 },
  )
  return { me: data, error, reload }
}

export const may = (...roles: string[]): boolean => mine?.roles.some((r) => roles.includes(r)) ?? false

/** The network operator: answers to it name no customer and no device (CORE-223, core/operator/grid-view.ts). */
export const gridOnly = (): boolean => mine !== undefined && mine.roles.length > 0 && mine.roles.every((r) => r === 'dso')

const zoneKey = 'loadstone.zone'
/** The zone of times that belong to no program: chosen under Settings, else the programs', else the browser's. */
export const zone = (): string => localStorage.getItem(zoneKey) ?? zones[0] ?? Intl.DateTimeFormat().resolvedOptions().timeZone
export const setZone = (value: string | null): void => {
  if (value) localStorage.setItem(zoneKey, value)
  else localStorage.removeItem(zoneKey)
}

/** Renders again every `ms`, for ages and clocks. */
export function useTick(ms: number): void {
  const [, next] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => next((n) => n + 1), ms)
    return () => clearInterval(timer)
  }, [ms])
}

export const themes = ['auto', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]
export const theme = (): Theme => themes.find((x) => x === localStorage.getItem('loadstone.theme')) ?? 'auto'
export function setTheme(value: Theme): void {
  localStorage.setItem('loadstone.theme', value)
  applyTheme()
}
export function applyTheme(): void {
  document.documentElement.dataset.theme = theme()
  dispatchEvent(new Event('loadstone.theme'))
}
