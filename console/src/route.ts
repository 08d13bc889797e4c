import { useEffect, useState } from 'preact/hooks'

/** Where we are: a path and its search, both in the hash so that any link can be copied (`#/devices?kind=battery`). */
export interface Place {
  readonly path: string
  readonly search: URLSearchParams
}

export function place(): Place {
  const [path = '/', search = ''] = (location.hash.replace(/^#/, '') || '/').split('?')
  return { path, search: new URLSearchParams(search) }
}

/** Another page begins at its top; a filter or an order of a list leaves the page where it is. */
let last = place().path
addEventListener('hashchange', () => {
  const { path } = place()
  if (path !== last) window.scrollTo(0, 0)
  last = path
})

export function usePlace(): Place {
  const [here, set] = useState(place)
  useEffect(() => {
    const moved = (): void => set(place())
    addEventListener('hashchange', moved)
    return () => removeEventListener('hashchange', moved)
  }, [])
  return here
}

export const go = (to: string): void => {
  location.hash = to
}

/** Changes parts of the search without a new entry in the history: filters live in the URL (UX-050). */
export function setSearch(changes: Readonly<Record<string, string | null>>): void {
  const { path, search } = place()
  for (const [key, value] of Object.entries(changes))
    if (value === null || value === '') search.delete(key)
    else search.set(key, value)
  const text = search.toString()
  history.replaceState(null, '', `#${path}${text ? `?${text}` : ''}`)
  dispatchEvent(new HashChangeEvent('hashchange'))
}

/** `/dispatches/:id` against a path: the named parts, or undefined. */
export function match(pattern: string, path: string): Record<string, string> | undefined {
  const want = pattern.split('/'),
    have = path.split('/')
  if (want.length !== have.length) return undefined
  const found: Record<string, string> = {}
  for (const [i, part] of want.entries()) {
    if (part.startsWith(':')) found[part.slice(1)] = decodeURIComponent(have[i] as string)
    else if (part !== have[i]) return undefined
  }
  return found
}
