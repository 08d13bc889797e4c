import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds our package.json: JSON, SQL and pages are found from there, never from the working directory. */
export function packageRoot(from: string = import.meta.url): string {
  let at = dirname(fileURLToPath(from))
  while (!existsSync(join(at, 'package.json')) || at.endsWith('build')) {
    const up = dirname(at)
    if (up === at) throw new Error('package.json not found above this file')
    at = up
  }
  return at
}
