import type { NoticeRow } from '#vtn/notice.js'
import { present, type Content, type Stored } from '#vtn/stored.js'
import type { ObjectType } from '#vtn/wire/field.js'
import { targetsTo301, targetsTo31, type Target301 } from '#vtn/wire/target301.js'

type Json = Record<string, unknown>

/** OA-235, OA-247: flat fields of a 3.0.1 program and the attributes they are in 3.1. */
const flat: readonly (readonly [string, string])[] = [
  ['programLongName', 'PROGRAM_LONG_NAME'], ['retailerName', 'RETAILER_NAME'], ['retailerLongName', 'RETAILER_LONG_NAME'], ['programType', 'PROGRAM_TYPE'], ['country', 'COUNTRY'],
  ['principalSubdivision', 'PRINCIPAL_SUBDIVISION'], ['timeZoneOffset', 'TIME_ZONE_OFFSET'], ['bindingEvents', 'BINDING_EVENTS'], ['localPrice', 'LOCAL'],
]

function programTo31(body: Json): Json {
  const { attributes, ...rest } = body
  const extra = flat.flatMap(([field, type]) => (rest[field] === undefined || rest[field] === null ? [] : [{ type, values: [rest[field]] }]))
  for (const [field] of flat) delete rest[field]
  const all = [...extra, ...((attributes as Target301[] | null | undefined) ?? [])]
  return { ...rest, ...(all.length ? { attributes: all } : {}) }
}

function programTo301(object: Json): Json {
  const { attributes, ...rest } = object
  const left: Target301[] = [], out: Json = rest
  for (const attribute of (attributes as Target301[] | undefined) ?? []) {
    const field = flat.find(([f, type]) => type === attribute.type && attribute.values.length === 1 && out[f] === undefined)?.[0]
    const wanted = field === 'bindingEvents' || field === 'localPrice' ? 'boolean' : 'string'
    if (field !== undefined && typeof attribute.values[0] === wanted) out[field] = attribute.values[0]
    else left.push(attribute)
  }
  return left.length ? { ...out, attributes: left } : out
}

const each = (object: Json, member: string, change: (d: Json) => Json): Json =>
  (Array.isArray(object[member]) ? { ...object, [member]: (object[member] as Json[]).map(change) } : object)

/** Descriptors may lack their discriminator here (OA-085); 3.1 readers get it, told by what stands in them. */
const discriminated = (fallback: string) => (d: Json): Json => ({ objectType: d['objectType'] ?? (fallback === 'EITHER' ? ('readingType' in d || 'accuracy' in d || 'confidence' in d ? 'REPORT_PAYLOAD_DESCRIPTOR' : 'EVENT_PAYLOAD_DESCRIPTOR') : fallback), ...d })

/**
 * Interpretation: 3.0.1 requires a start where 3.1 lets one be inherited (OA-237), so an absent one is shown as "directly after, or now"
 * (year 0001), in a spelling of its own that is taken away again when it comes back (OA-249).
 */
const noStart = '0001-01-01T00:00:00.0Z'
const started = (holder: Json): Json => (holder['intervalPeriod'] ? { ...holder, intervalPeriod: { start: noStart, ...holder['intervalPeriod'] as Json } } : holder)
function unstarted(holder: Json): Json {
  const { start, ...rest } = (holder['intervalPeriod'] ?? {}) as Json
  return start === noStart ? { ...holder, intervalPeriod: rest } : holder
}
/** Every holder of an intervalPeriod: the object, its intervals, and a report's entries with theirs. */
function eachPeriod(object: Json, change: (holder: Json) => Json): Json {
  const within = (holder: Json): Json => each(change(holder), 'intervals', change)
  return each(within(object), 'resources', within)
}

/** A checked 3.0.1 body as 3.1 content. The targets are kept as written too, for a letter-true answer (OA-249). */
export function to31(objectType: ObjectType, body: Json): Json {
  const { id: _i, createdDateTime: _c, modificationDateTime: _m, objectType: _o, ...rest } = body
  let out: Json = eachPeriod(objectType === 'PROGRAM' ? programTo31(rest) : rest, unstarted)
  if (Array.isArray(out['targets'])) out = { ...out, targets: [...new Set(targetsTo31(out['targets'] as Target301[]))] }
  out = each(out, 'reportDescriptors', (d) => (Array.isArray(d['targets']) ? { ...d, targets: targetsTo31(d['targets'] as Target301[]) } : d))
  const fallback = { PROGRAM: 'EITHER', EVENT: 'EVENT_PAYLOAD_DESCRIPTOR', REPORT: 'REPORT_PAYLOAD_DESCRIPTOR' }[objectType as string]
  return fallback ? each(out, 'payloadDescriptors', discriminated(fallback)) : out
}

/** A stored object as 3.0.1 shows it to a reader who may know the targets in `shown`. */
export function to301(objectType: ObjectType, object: Json, doc: Stored): Json {
  let out: Json = eachPeriod(objectType === 'PROGRAM' ? programTo301(object) : { ...object }, started)
  if (Array.isArray(out['targets'])) out['targets'] = asWritten(doc, out['targets'] as string[]) ?? targetsTo301(out['targets'] as string[])
  out = each(out, 'reportDescriptors', (d) => (Array.isArray(d['targets']) ? { ...d, targets: targetsTo301(d['targets'] as string[]) } : d))
  if (objectType === 'EVENT') out['intervals'] ??= []
  if (objectType === 'REPORT') out['programID'] = doc.body['_programID']
  delete out['clientID']
  delete out['hmacSecret']
  return out
}

/** The targets as a 3.0.1 client wrote them, while they still mean the same and none is hidden. */
function asWritten(doc: Stored, shown: readonly string[]): unknown {
  const written = doc.body['_targets301'] as Target301[] | undefined
  if (!written) return undefined
  const means = [...new Set(targetsTo31(written))]
  return means.length === shown.length && means.every((t, i) => t === shown[i]) ? written : undefined
}

export const withWritten = (content: Content, body: Json): Content => (Array.isArray(body['targets']) ? { ...content, _targets301: body['targets'] } : content)

const operations: Readonly<Record<string, string>> = { CREATE: 'POST', READ: 'GET', UPDATE: 'PUT', DELETE: 'DELETE' }

/** OA-241. */
export function notification301(notice: NoticeRow, shown: readonly string[] | undefined): { objectType: string; operation: string; object: Json; targets?: unknown } {
  const object = to301(notice.objectType, present(notice.objectType, notice.doc, shown), notice.doc)
  if (notice.objectType === 'SUBSCRIPTION') object['objectOperations'] = (object['objectOperations'] as Json[]).map(({ bearerToken: _, ...o }) => o)
  return { objectType: notice.objectType, operation: operations[notice.operation] ?? notice.operation, object, ...(object['targets'] && notice.objectType !== 'SUBSCRIPTION' ? { targets: object['targets'] } : {}) }
}
