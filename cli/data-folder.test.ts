import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { takeDataFolder } from '#cli/data-folder.js'

const use = { command: 'serve', ports: [], fresh: true, now: '2026-11-29T12:00:00Z' }

t.test('REL-008 --fresh empties what Loadstone wrote, also after revocations and uploads; backups stay, and a folder with somebody else\'s files is left alone', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'loadstone-folder-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['pki', 'uploads', 'backups']) mkdirSync(join(folder, name))
  for (const name of ['revocations.jsonl', 'seal.key', 'audit-heads.jsonl', 'operator.token', 'backups/before.backup']) writeFileSync(join(folder, name), 'x')
  const taken = await takeDataFolder(folder, use)
  t.same(readdirSync(folder).sort(), ['backups', 'holders'])
  t.ok(existsSync(join(folder, 'backups', 'before.backup')))
  taken.release()
  writeFileSync(join(folder, 'thesis.doc'), 'x')
  await t.rejects(takeDataFolder(folder, use), /thesis\.doc.*will not empty it/)
  t.ok(existsSync(join(folder, 'thesis.doc')))
})
