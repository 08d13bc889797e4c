import { gather } from '#core/gather.js'
import type { DocumentQuery, DocumentStore } from '#core/port/store/document.js'
import type { Content, Stored } from '#vtn/stored.js'

export type Page = DocumentQuery & { readonly limit: number }
type Aimed = Page & { readonly withAnyTarget: readonly string[] }

/** Readers in one question; each may bring a page. */
const most = 16

/**
 * First pages of many readers who ask the same but for the targets they may see, as one question with all their targets: after a change every VEN
 * asks at once (stack.md, "changed"). The union comes in the same order as each page, so a reader's part of it is the beginning of its own page:
 * whole when the union was not cut off or the page is full; else that reader is asked for alone.
 */
export function listTogether(documents: Pick<DocumentStore, 'list'>, tenant: string): { ask(page: Page): Promise<Stored[]> } {
  const alone = (page: Page): Promise<Stored[]> => documents.list<Content>(tenant, page)

  async function sameBut(pages: readonly Aimed[]): Promise<Stored[][]> {
    const [first] = pages as [Aimed]
    if (pages.length === 1) return [await alone(first)]
    const limit = first.limit * pages.length
    const union = await alone({ ...first, withAnyTarget: [...new Set(pages.flatMap((p) => p.withAnyTarget))], limit })
    return Promise.all(pages.map(async (page) => {
      const targets = new Set(page.withAnyTarget)
      const own = union.filter((doc) => doc.targets.some((t) => targets.has(t))).slice(0, page.limit)
      return own.length === page.limit || union.length < limit ? own : alone(page)
    }))
  }

  const { ask } = gather<Aimed, Stored[]>(async (pages) => {
    const groups = new Map<string, number[]>()
    pages.forEach((page, i) => {
      const { withAnyTarget: _, ...same } = page, key = JSON.stringify(same)
      groups.set(key, [...groups.get(key) ?? [], i])
    })
    const answers: Stored[][] = []
    await Promise.all([...groups.values()].map(async (at) => {
      const found = await sameBut(at.map((i) => pages[i]!))
      at.forEach((i, n) => { answers[i] = found[n]! })
    }))
    return answers
  }, { most })

  const aimed = (page: Page): page is Aimed => page.withAnyTarget !== undefined && !page.skip
  return { ask: (page) => (aimed(page) ? ask(page) : alone(page)) }
}
