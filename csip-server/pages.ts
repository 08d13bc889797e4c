import type { DocumentQuery } from '#core/port/store/document.js'
import type { CsipContext } from '#csip-server/context.js'
import type { Doc, Value } from '#csip-server/served.js'

/** Where in a list a page ended: the numbers it is sorted by, and how many members up to there share them. */
interface Mark { readonly sort1: number; readonly sort2: number; readonly same: number }

/** Marks stay with the state of the list that they were made in. */
const most = 20_000
/** A shorter way than this is walked. */
const far = 1000

const byTwoNumbers = /^-?sort1,-?sort2(,|$)/

/**
 * SEP-057, SEP-252: reads a page of a list. Skipping costs a row of the table for each member skipped, which over all pages is the square of
 * the list; so the end of each page is remembered, and who goes on from there while nothing has changed goes on in the index.
 */
export function makePages({ documents, tenant }: Pick<CsipContext, 'documents' | 'tenant'>): (query: DocumentQuery, skip: number, limit: number) => Promise<Doc[]> {
  const marks = new Map<string, { readonly mark: Mark; readonly revision: number }>()

  /** The rest of the members with the mark's first number, then those beyond it. */
  async function onward(query: DocumentQuery, { sort1, sort2, same }: Mark, limit: number): Promise<Doc[]> {
    const [first, second] = query.order ?? []
    const beside = { sort1From: sort1, sort1To: sort1, ...(second === 'sort2' ? { sort2From: sort2 } : { sort2To: sort2 }) }
    const rest = await documents.list<Value>(tenant, { ...query, ...beside, skip: same, limit })
    if (rest.length === limit) return rest
    const beyond = first === 'sort1' ? { sort1From: sort1 + 1 } : { sort1To: sort1 - 1 }
    return [...rest, ...await documents.list<Value>(tenant, { ...query, ...beyond, limit: limit - rest.length })]
  }

  function remember(key: string, docs: readonly Doc[], skip: number, before: Mark | undefined, revision: number): void {
    let at = before
    const found: Mark[] = []
    for (const d of docs) found.push(at = { sort1: d.sort1, sort2: d.sort2, same: at && at.sort1 === d.sort1 && at.sort2 === d.sort2 ? at.same + 1 : 1 })
    // How many share the numbers of a page's first members is known only when the page began at a mark or at the list's beginning.
    const known = before !== undefined || skip === 0 ? 0 : found.findIndex((m) => m.sort1 !== found[0]?.sort1 || m.sort2 !== found[0].sort2)
    if (marks.size > most) marks.clear()
    // The last three places: a list with a leading member asks from one earlier.
    for (let i = Math.max(0, known, found.length - 3); known >= 0 && i < found.length; i++) marks.set(`${key} ${skip + i + 1}`, { mark: found[i] as Mark, revision })
  }

  return async (query, skip, limit) => {
    const plain = query.sort1From === undefined && query.sort1To === undefined && query.sort2From === undefined && query.sort2To === undefined
    if (!plain || !byTwoNumbers.test((query.order ?? []).join())) return documents.list<Value>(tenant, { ...query, skip, limit })
    const key = JSON.stringify(query), revision = documents.revision(tenant, query.kind), known = marks.get(`${key} ${skip}`)
    const mark = known?.revision === revision ? known.mark : undefined
    const docs = mark && skip >= far ? await onward(query, mark, limit) : await documents.list<Value>(tenant, { ...query, skip, limit })
    if (skip + docs.length >= far) remember(key, docs, skip, mark, revision)
    return docs
  }
}
