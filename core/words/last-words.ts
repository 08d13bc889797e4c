import { LRUCache } from 'lru-cache'
import type { Protocol } from '#core/program/resource.js'
import { keyOf, type Captures } from '#core/words/captures.js'

/** One request of a device and the answer to it, as they were on the wire. */
export interface Exchange {
  readonly at: number
  /** `GET /dcap` */
  readonly request: string
  readonly body?: Said
  readonly status: number
  readonly answer?: Said
}
/** Text, or what becomes text when somebody looks: the hot path makes none. */
export type Said = string | Buffer | object | undefined
export interface Word { readonly at: string; readonly direction: 'in' | 'out'; readonly text: string; readonly times: number }

type Kept = Exchange & { readonly times: number }

const most = 20, mostOfOne = 2, longest = 4096
const sizeOf = (s: Said): number => (typeof s === 'string' || Buffer.isBuffer(s) ? s.length : 256)

/**
 * The last words both ways of every device that asks us (UX-049): bounded in bytes whatever the number of devices, those longest
 * unheard forgotten first. A device polls the same addresses for ever, so of each address the last two different answers stay, and
 * an answer that has not changed is counted.
 */
export class LastWords {
  readonly #said: LRUCache<string, readonly Kept[]>
  readonly #captures: Captures | undefined
  readonly #sources = new Map<Protocol, (tenant: string, remoteId: string) => readonly Word[]>()
  constructor(bytes = 32 * 2 ** 20, captures?: Captures) {
    this.#captures = captures
    this.#said = new LRUCache({ maxSize: bytes, sizeCalculation: (list) => list.reduce((n, e) => n + 200 + sizeOf(e.body) + sizeOf(e.answer), 200) })
  }

  /** A door that keeps the frames of its devices itself, as the one for chargers does. */
  from(protocol: Protocol, words: (tenant: string, remoteId: string) => readonly Word[]): void { this.#sources.set(protocol, words) }

  add(tenant: string, protocol: Protocol, remoteId: string, said: Exchange): void {
    this.#captures?.heard(tenant, protocol, remoteId, said.at, () => [{ direction: 'in', text: whole(said.request, said.body) }, { direction: 'out', text: whole(String(said.status), said.answer) }])
    const key = keyOf(tenant, protocol, remoteId), before = this.#said.get(key) ?? []
    const same = before.filter((e) => e.request === said.request), last = same[0]
    const unchanged = last !== undefined && said.body === undefined && last.status === said.status && equal(last.answer, said.answer)
    const drop = unchanged ? last : same.length >= mostOfOne ? same.at(-1) : undefined
    this.#said.set(key, [{ ...said, times: unchanged ? last.times + 1 : 1 }, ...before.filter((e) => e !== drop)].slice(0, most))
  }

  /** Newest first, secrets masked. */
  of(tenant: string, protocol: Protocol, remoteId: string): Word[] {
    const source = this.#sources.get(protocol)
    if (source) return [...source(tenant, remoteId)]
    return (this.#said.get(keyOf(tenant, protocol, remoteId)) ?? []).flatMap((e): Word[] => {
      const at = new Date(e.at).toISOString(), { times } = e
      return [{ at, direction: 'out', text: joined(String(e.status), e.answer), times }, { at, direction: 'in', text: joined(e.request, e.body), times }]
    })
  }
}

const equal = (a: Said, b: Said): boolean => a === b || (Buffer.isBuffer(a) && Buffer.isBuffer(b) && a.equals(b))

function whole(first: string, said: Said, most?: number): string {
  const text = said === undefined ? '' : typeof said === 'string' ? said : Buffer.isBuffer(said) ? said.toString('utf8', 0, most) : JSON.stringify(said)
  return masked(text === '' ? first : `${first}\n${text}`)
}

function joined(first: string, said: Said): string {
  const text = whole(first, said, longest + 1)
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}

/** What a device must keep to itself: callback credentials (OpenADR subscriptions) and registration PINs (2030.5), SEC-061. */
const masked = (text: string): string => text.replace(/("(?:bearerToken|clientSecret|client_secret|password|access_token)"\s*:\s*")(?:[^"\\]|\\.)*/g, '$1***').replace(/(<(?:\w+:)?pIN>)[^<]*/g, '$1***')
