import type { ComponentChildren } from 'preact'
import { DispatchPage, LivePage } from './page/dispatch.tsx'
import { Dispatches } from './page/dispatches.tsx'
import { Home } from './page/home.tsx'

/** Every page and where it lives; the first that matches is shown. */
export const pages: readonly { pattern: string; show: (params: Record<string, string>) => ComponentChildren }[] = [
  { pattern: '/', show: () => <Home /> },
  { pattern: '/live', show: () => <LivePage /> },
  { pattern: '/dispatches', show: () => <Dispatches /> },
  { pattern: '/dispatches/:id', show: ({ id }) => <DispatchPage id={id!} /> },
]
