import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Ids } from '#core/port/ids.js'
import { DoorRefusal, toProblem } from '#vtn/error-map.js'

/** What never becomes a request that fastify sees is refused in the same form as everything else (OA-050). */
export function belowHttp(ids: Pick<Ids, 'uuid'>) {
  const bodyOf = (refusal: DoorRefusal): { headers: Record<string, string | number>; text: string } => {
    const id = ids.uuid(), text = JSON.stringify(toProblem(refusal, id).body)
    return { text, headers: { 'x-request-id': id, 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(text), connection: 'close' } }
  }
  return {
    /** A request that Node's parser cannot read, or that did not end in time. */
    clientError(error: NodeJS.ErrnoException, socket: Socket): void {
      if (error.code === 'ECONNRESET' || socket.destroyed) return
      if (!socket.writable) return void socket.destroy()
      const refusal = error.code === 'HPE_HEADER_OVERFLOW' ? new DoorRefusal(431, 'the header fields are larger than this door takes')
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? new DoorRefusal(408, 'the request did not end in time')
          : new DoorRefusal(400, 'this is not an HTTP request')
      const { headers, text } = bodyOf(refusal)
      socket.end(`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${text}`)
    },
    /** RFC 9110 §10.1.1: an expectation other than 100-continue. */
    expectation(_request: IncomingMessage, response: ServerResponse): void {
      const { headers, text } = bodyOf(new DoorRefusal(417, 'only 100-continue can be expected here'))
      response.writeHead(417, headers).end(text)
    },
  }
}

/** RFC 9112 §3.2: one Host field in HTTP/1.1, neither none nor two. */
export function oneHost({ httpVersionMinor, headers, rawHeaders }: IncomingMessage): boolean {
  if (headers.host === undefined) return httpVersionMinor === 0
  let found = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.length === 4 && name.toLowerCase() === 'host') found += 1
  }
  return found === 1
}
