import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '#core/port/clock.js'
import type { Ids } from '#core/port/ids.js'
import type { Log } from '#core/port/log.js'
import type { DocumentStore } from '#core/port/store/document.js'

/** Where uploads are kept: one stream a file, under a name of our own. */
export interface UploadStore {
  /** Resolves with the bytes kept; rejects when the stream breaks or grows past the limit, and then keeps nothing. */
  save(name: string, body: AsyncIterable<Uint8Array>, limit: number): Promise<number>
  read(name: string): Promise<Uint8Array | undefined>
}

/** A place that one station may fill once (OCPP-220). Document `csms/Upload`, parent = station. */
export interface Upload {
  readonly id: string
  readonly station: string
  readonly user: string
  readonly password: string
  readonly until: number
  readonly bytes?: number
  readonly at?: number
}

export interface Uploads {
  /** A fresh place; `path` goes behind the door's address, user and password into its URL. */
  open(tenant: string, station: string): Promise<Upload & { path: string }>
  list(tenant: string, station: string): Promise<Upload[]>
  read(tenant: string, station: string, id: string): Promise<Uint8Array | undefined>
  /** Answers a request that is for an upload; false when it is not. */
  serve(request: IncomingMessage, response: ServerResponse): boolean
}

const prefix = '/ocpp-upload/'
const lasts_s = 24 * 3600
export const mostBytes = 64 << 20

/** Stations put their logs here: PUT and POST, credentials of their own for each upload, a limit on its size, filled once. */
export function uploads({ store, documents, tenant, clock, ids, log, limit = mostBytes }: {
  store: UploadStore | undefined; documents: DocumentStore; tenant: string; clock: Clock; ids: Ids; log: Log; limit?: number
}): Uploads {
  const find = async (id: string): Promise<Upload | undefined> => (await documents.get<Upload>(tenant, 'csms/Upload', id))?.body

  function may(upload: Upload, header: string | undefined): boolean {
    const given = Buffer.from(/^Basic (.+)$/i.exec(header ?? '')?.[1] ?? '', 'base64'), right = Buffer.from(`${upload.user}:${upload.password}`)
    return given.length === right.length && timingSafeEqual(given, right)
  }

  async function take(request: IncomingMessage, id: string): Promise<number> {
    const upload = await find(id)
    // A stranger learns nothing of what is awaited.
    if (!store || !upload || !may(upload, request.headers.authorization)) return 401
    if (upload.bytes !== undefined || upload.until < clock.now()) return 410
    if (Number(request.headers['content-length'] ?? 0) > limit) return 413
    try {
      const bytes = await store.save(upload.id, request, limit)
      await documents.replace({ tenant, kind: 'csms/Upload', id, parent: upload.station, body: { ...upload, bytes, at: clock.now() } satisfies Upload }, clock.nowMs())
      return 201
    } catch (error) {
      log.info({ station: upload.station, cause: String(error), clause: 'OCPP-220' }, 'an upload failed')
      return 413
    }
  }

  return {
    async open(station_tenant, station) {
      const upload: Upload = { id: ids.hex(16), station, user: station.replaceAll(':', '_'), password: ids.hex(16), until: clock.now() + lasts_s }
      await documents.insertMany([{ tenant: station_tenant, kind: 'csms/Upload', id: upload.id, parent: station, sort1: upload.until, body: upload }], clock.nowMs())
      return { ...upload, path: `${prefix}${upload.id}` }
    },
    list: async (of, station) => (await documents.list<Upload>(of, { kind: 'csms/Upload', parent: station, order: ['-sort1'], limit: 100 })).map((d) => d.body),
    async read(of, station, id) {
      const upload = (await documents.get<Upload>(of, 'csms/Upload', id))?.body
      return upload?.station === station && upload.bytes !== undefined ? store?.read(id) : undefined
    },
    serve(request, response) {
      const path = (request.url ?? '').split('?', 1)[0] as string
      if (!path.startsWith(prefix)) return false
      const end = (status: number, headers: Record<string, string> = {}): void => {
        response.writeHead(status, { Connection: 'close', 'Content-Length': 0, ...(status === 401 ? { 'WWW-Authenticate': 'Basic realm="upload"' } : {}), ...headers }).end()
      }
      if (request.method !== 'PUT' && request.method !== 'POST') end(405, { Allow: 'PUT, POST' })
      // Stations append a file name of their own; ours is the ticket.
      else take(request, path.slice(prefix.length).split('/', 1)[0] as string).then(end, () => end(500))
      return true
    },
  }
}
