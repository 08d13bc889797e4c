/** DNS messages as DNS-SD needs them (RFC 1035 §4, RFC 6762, RFC 6763): questions read, answers written; nothing is compressed on output. */
export const types = { A: 1, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, ANY: 255 } as const

export interface Question {
  readonly name: string
  readonly type: number
  /** The asker wants the answer to itself (RFC 6762 §5.4). */
  readonly unicast: boolean
}

export interface DnsRecord {
  readonly name: string
  readonly type: number
  readonly ttl: number
  readonly data: Buffer
}

/** The questions of a query; undefined for answers and for what is no DNS message. */
export function questionsOf(message: Buffer): Question[] | undefined {
  if (message.length < 12 || (message.readUInt16BE(2) & 0x8000) !== 0) return undefined
  const count = message.readUInt16BE(4), out: Question[] = []
  let at = 12
  try {
    for (let i = 0; i < Math.min(count, 32); i++) {
      const name = nameAt(message, at)
      const type = message.readUInt16BE(name.end), kind = message.readUInt16BE(name.end + 2)
      out.push({ name: name.text, type, unicast: (kind & 0x8000) !== 0 })
      at = name.end + 4
    }
  } catch {
    return undefined
  }
  return out
}

/** A name with its compression pointers followed, each only backwards, so that no message can make us turn for ever. */
function nameAt(message: Buffer, start: number): { text: string; end: number } {
  const labels: string[] = []
  let at = start, end = -1
  for (let limit = start; ;) {
    const length = message.readUInt8(at)
    if (length === 0) return { text: labels.join('.'), end: end < 0 ? at + 1 : end }
    if ((length & 0xc0) === 0xc0) {
      const to = message.readUInt16BE(at) & 0x3fff
      if (to >= limit) throw new RangeError('a pointer forwards')
      if (end < 0) end = at + 2
      limit = at = to
      continue
    }
    if (length > 63 || at + 1 + length > message.length) throw new RangeError('no name')
    labels.push(message.toString('utf8', at + 1, at + 1 + length))
    if (labels.join('.').length > 255) throw new RangeError('a name of more than 255 octets')
    at += 1 + length
  }
}

export const nameOf = (text: string): Buffer => Buffer.concat([...text.split('.').map((label) => { const bytes = Buffer.from(label); return Buffer.concat([Buffer.from([bytes.length]), bytes]) }), Buffer.from([0])])
export const textsOf = (texts: readonly string[]): Buffer => Buffer.concat(texts.map((text) => { const bytes = Buffer.from(text); return Buffer.concat([Buffer.from([bytes.length]), bytes]) }))
export function serviceOf(port: number, host: string): Buffer {
  const head = Buffer.alloc(6)
  head.writeUInt16BE(port, 4)
  return Buffer.concat([head, nameOf(host)])
}

export function answerOf(id: number, answers: readonly DnsRecord[], additional: readonly DnsRecord[]): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt16BE(id, 0)
  head.writeUInt16BE(0x8400, 2) // an answer, with authority
  head.writeUInt16BE(answers.length, 6)
  head.writeUInt16BE(additional.length, 10)
  return Buffer.concat([head, ...[...answers, ...additional].map((r) => {
    const fixed = Buffer.alloc(10)
    fixed.writeUInt16BE(r.type, 0)
    fixed.writeUInt16BE(1, 2)
    fixed.writeUInt32BE(r.ttl, 4)
    fixed.writeUInt16BE(r.data.length, 8)
    return Buffer.concat([nameOf(r.name), fixed, r.data])
  })])
}
