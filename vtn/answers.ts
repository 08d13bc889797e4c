import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { printed } from '#vtn/wire/literal.js'

/** One representation, ready to send; made once for all readers of its class (stack.md, cache rule). */
export interface Answer {
  /** Revision of what it was made from; several are summed, as each only rises. */
  readonly stamp: number
  readonly etag: string
  readonly body: Buffer
  gzip?: Buffer
  /** Ids of what it shows, for the event read log. */
  readonly shows: readonly string[]
  /** Epoch seconds [from, until) in which it is true while nothing is written: an event that ends leaves `active` by itself (OA-061). */
  readonly from: number
  readonly until: number
}

/** True whatever the clock says. */
export const always = { from: -Infinity, until: Infinity } as const

/** Bytes kept; beyond that the least used go. */
const most = 64 * 1024 * 1024

export class Answers {
  readonly #kept = new LRUCache<string, Answer>({ maxSize: most, sizeCalculation: (a) => a.body.length + 512 })
  /** Text of single objects, so that one change in a list of fifty costs one object. */
  readonly #texts = new LRUCache<string, string>({ maxSize: most / 2, sizeCalculation: (text) => text.length * 2 + 128 })

  find(key: string, stamp: number, now: number): Answer | undefined {
    const hit = this.#kept.get(key)
    return hit?.stamp === stamp && now >= hit.from && now < hit.until ? hit : undefined
  }

  keep(key: string, stamp: number, text: string, shows: readonly string[], time: Pick<Answer, 'from' | 'until'> = always): Answer {
    const body = Buffer.from(text)
    // Weak: gzip and plain carry the same tag.
    const answer: Answer = { stamp, etag: `W/"${createHash('sha1').update(body).digest('base64url')}"`, body, shows, from: time.from, until: time.until }
    this.#kept.set(key, answer)
    return answer
  }

  /** Everybody who asks for the same thing while it is being made gets the same one: a change does not bring a stampede. */
  readonly #making = new Map<string, Promise<Answer>>()
  shared(key: string, stamp: number, make: () => Promise<Answer>): Promise<Answer> {
    const at = `${stamp}|${key}`
    const running = this.#making.get(at)
    if (running) return running
    const started = make().finally(() => this.#making.delete(at))
    this.#making.set(at, started)
    return started
  }

  text(key: string, make: () => unknown): string {
    const hit = this.#texts.get(key)
    if (hit !== undefined) return hit
    const made = printed(make())
    this.#texts.set(key, made)
    return made
  }
}

/** OA-012: a body depends on who asks; compression only where it pays (OA-006). */
const unchanging = { 'cache-control': 'private, no-cache', vary: 'Authorization, Accept-Encoding' } as const
const worthPacking = 1024

export function send(request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply {
  const wanted = request.headers['if-none-match']
  reply.header('etag', answer.etag).headers(unchanging)
  if (wanted !== undefined && (wanted === answer.etag || matches(wanted, answer.etag))) return reply.code(304).send()
  reply.header('content-type', 'application/json; charset=utf-8')
  if (answer.body.length >= worthPacking && packs(request.headers['accept-encoding'])) {
    answer.gzip ??= gzipSync(answer.body, { level: 5 })
    return reply.header('content-encoding', 'gzip').send(answer.gzip)
  }
  return reply.send(answer.body)
}

const bare = (tag: string): string => tag.trim().replace(/^W\//, '')
const matches = (wanted: string, etag: string): boolean => wanted.split(',').some((tag) => tag.trim() === '*' || bare(tag) === bare(etag))
const packs = (accepted: string | string[] | undefined): boolean => {
  const text = String(accepted ?? '')
  return /(^|,)\s*(gzip|\*)\s*(;\s*q=(1|0\.\d*[1-9]\d*))?\s*(,|$)/i.test(text) || /\bgzip\s*(,|$)/i.test(text)
}
