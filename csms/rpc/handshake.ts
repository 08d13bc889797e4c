/** OCPP-001, 002: what the URL of an upgrade says, or the HTTP status that refuses it. Nothing here throws. */
export function readPath(url: string | undefined, paths: ReadonlyMap<string, string>): { tenant: string; identity: string } | 400 | 404 {
  const path = (url ?? '').split('?', 1)[0] as string
  const cut = path.lastIndexOf('/')
  if (cut < 0) return 400
  const tenant = paths.get(path.slice(0, cut))
  let identity: string
  try {
    identity = decodeURIComponent(path.slice(cut + 1))
  } catch {
    return 400
  }
  if (!/^[A-Za-z0-9*\-_=:+|@. ]{1,48}$/.test(identity)) return 400
  return tenant === undefined ? 404 : { tenant, identity }
}

/** RFC 7617: user and password as bytes, since old stations send raw bytes (OCPP-022). Undefined when it is not Basic. */
export function readBasic(header: string | undefined): { user: string; password: Buffer } | undefined {
  const match = /^Basic +([A-Za-z0-9+/_-]+={0,2}) *$/i.exec(header ?? '')
  if (!match) return undefined
  const bytes = Buffer.from(match[1] as string, 'base64')
  const colon = bytes.indexOf(0x3a)
  return colon < 0 ? undefined : { user: bytes.subarray(0, colon).toString('utf8'), password: bytes.subarray(colon + 1) }
}

/** `X-Client-Cert`: the client certificate as percent-encoded PEM, in the way nginx ($ssl_client_escaped_cert) and others write it. */
export function forwardedCertificate(headers: Readonly<Record<string, string | string[] | undefined>>): string | undefined {
  const text = headers['x-client-cert']
  if (typeof text !== 'string') return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

export interface Refused {
  readonly status: 400 | 401 | 404 | 426 | 429 | 503
  readonly retryAfter?: number
}

const reasons: Record<Refused['status'], string> = {
  400: 'Bad Request', 401: 'Unauthorized', 404: 'Not Found', 426: 'Upgrade Required', 429: 'Too Many Requests', 503: 'Service Unavailable',
}

/** For whoever connects a station by hand. One text for each status: it tells nothing that the status does not (SEC-001). */
const advice: Record<Refused['status'], string> = {
  400: 'The path ends in the identity: 1 to 48 letters, digits or *-_=:+|@. and nothing after it.',
  401: 'The Basic user name is the identity, the password is its own, and the security profile is the one it was ordered with (2 and 3 over wss only).',
  404: 'The path is not the one of this server followed by an identity that it knows.',
  426: 'This is a WebSocket door for OCPP.',
  429: 'Too many logins failed.',
  503: 'Too many stations come at once, or the server is closing.',
}

/** The whole HTTP answer to a refused upgrade. OCPP-004: 401 carries the challenge. */
export function refusalText({ status, retryAfter }: Refused): string {
  const body = `${advice[status]}\n`
  const lines = [`HTTP/1.1 ${status} ${reasons[status]}`, 'Connection: close', 'Content-Type: text/plain; charset=utf-8', `Content-Length: ${body.length}`]
  if (status === 401) lines.push('WWW-Authenticate: Basic realm="ocpp"')
  if (status === 426) lines.push('Upgrade: websocket')
  if (retryAfter !== undefined) lines.push(`Retry-After: ${retryAfter}`)
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}
