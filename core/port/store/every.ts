import type { Page, PageQuery } from '#core/port/store/entity.js'

/** All items of a paged list, page after page (REL-030: paging is by key, so nothing is skipped or repeated). */
export async function every<T>(list: (page: PageQuery) => Promise<Page<T>>, limit = 1000): Promise<T[]> {
  const out: T[] = []
  let cursor: string | undefined
  do {
    const page: Page<T> = await list({ limit, cursor })
    for (const item of page.items) out.push(item)
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return out
}
