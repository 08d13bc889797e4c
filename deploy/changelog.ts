/** UX-079: upgrade notes per reader, and no removal without a warning one minor release ahead. */
export interface Release { readonly version: string; readonly text: string }

const readers = ['program operators', 'device vendors', 'VEN developers', 'CI engineers', 'settlement analysts', 'SREs']

/** Newest first, as they stand in the file. */
export const releasesOf = (changelog: string): Release[] =>
  changelog.split(/^## /m).slice(1).map((part) => ({ version: /^\d+\.\d+\.\d+/.exec(part)?.[0] ?? part.split('\n')[0]!, text: part }))

const minorOf = (version: string): number => Number(version.split('.')[0]) * 1000 + Number(version.split('.')[1])
const lines = (text: string, word: string): string[] => text.split('\n').filter((line) => line.startsWith(`- ${word}: `))
const named = (line: string): string => /`[^`]+`/.exec(line)?.[0] ?? line

/** Everything that is wrong, one sentence each: `- Deprecated: …; goes in X.Y.Z.` and `- Removed: …` are lines of their own. */
export function judge(changelog: string): string[] {
  const releases = releasesOf(changelog)
  return releases.flatMap(({ version, text }, i) => {
    const notes = text.split(`### Upgrading to ${version}`)[1]?.split(/^### /m)[0], warned = releases.slice(i + 1).flatMap((r) => lines(r.text, 'Deprecated'))
    if (notes === undefined) return [`${version}: no “Upgrading to ${version}”`]
    return [
      ...readers.filter((r) => !notes.includes(`| ${r} |`)).map((r) => `${version}: nothing said to ${r}`),
      ...lines(text, 'Deprecated').flatMap((line) => {
        const until = /goes in (\d+\.\d+\.\d+)/.exec(line)?.[1]
        return until === undefined ? [`${version}: until when? ${line}`] : minorOf(until) > minorOf(version) ? [] : [`${version}: goes too soon: ${line}`]
      }),
      ...lines(text, 'Removed').filter((line) => !warned.some((w) => named(w) === named(line))).map((line) => `${version}: went without a warning: ${line}`),
    ]
  })
}
