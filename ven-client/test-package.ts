import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '#core/package-root.js'

const run = promisify(execFile)

/** `folder` as a stranger has it: the tarball of `npm run pack:ven` installed, the examples beside it. Dependencies are those of this checkout, so that no network is needed. */
export async function installedIn(folder: string): Promise<{ dependencies: string[]; files: string[] }> {
  // tap puts its own loaders into every child's NODE_OPTIONS; the compiler cannot bear them, so a shell takes them out.
  const { stdout } = await run('sh', ['-c', 'unset NODE_OPTIONS; exec "$@"', 'sh', process.execPath, join(packageRoot(), 'scripts/pack-ven.js'), '--out', folder], { cwd: folder })
  const modules = join(folder, 'node_modules'), own = join(modules, '@loadstone/ven'), tarball = join(folder, stdout.trim())
  await mkdir(own, { recursive: true })
  await run('tar', ['-xzf', tarball, '-C', own, '--strip-components=1'])
  const { dependencies } = JSON.parse(await readFile(join(own, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
  for (const name of Object.keys(dependencies)) {
    await mkdir(dirname(join(modules, name)), { recursive: true })
    await symlink(join(packageRoot(), 'node_modules', name), join(modules, name))
  }
  await cp(join(packageRoot(), 'examples'), join(folder, 'examples'), { recursive: true, dereference: true })
  return { dependencies: Object.keys(dependencies), files: (await run('tar', ['-tzf', tarball])).stdout.split('\n') }
}
