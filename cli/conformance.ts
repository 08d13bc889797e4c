import type { Command } from 'commander'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Procedure, Report, Subject } from '#conformance/procedure.js'
import type { Target } from '#conformance/runner.js'
import { packageRoot } from '#core/package-root.js'

interface RunFlags {
  target?: string; config?: string; from?: string; profile?: string; only?: string[]; smoke?: boolean; junit?: string; json?: string | boolean; html?: string; tap?: string
  markdown?: string; annotations?: boolean; evidence?: string; seed: string; bail?: boolean; expectFailures?: string; retries: string; with?: string[]; xsd?: string; statement?: string; statementKey?: string; color: boolean
}

const subjects: readonly Subject[] = ['vtn', 'csip', 'csms', 'est', 'ven']

/** `conformance run|list`: black-box conformance of any implementation, for a pipeline (contract §2, UX-035 … UX-041). */
export function registerConformance(program: Command): void {
  const noun = program.command('conformance').description('black-box conformance runs against any implementation')
    .addHelpText('before', 'Examples:\n  $ npx loadstone conformance list vtn\n  $ npx loadstone conformance run csms --from ready.json --smoke\n')
  noun.command('run').description('run a set of procedures against a target').argument('<subject>', subjects.join(', '))
    .option('--target <url>', 'what to test').option('--config <file>', 'target, credentials, capabilities').option('--from <file>', 'a saved ready line of loadstone serve')
    .option('--profile <name>', 'e.g. 3.1.1, 3.0.1, csip, csip-aus-1.2, 2.0.1, 1.6').option('--only <ids...>', 'ids, prefixes*, requirement numbers, tag:NAME')
    .option('--with <capabilities...>', 'declare these besides the file’s capabilities').option('--smoke', 'the short set').option('--junit <file>', 'JUnit XML').option('--json [file]', 'JSON, to stdout without a file').option('--html <file>', 'one HTML file')
    .option('--tap <file>', 'TAP').option('--markdown <file>', 'a Markdown summary').option('--annotations', 'GitHub annotations on stdout').option('--evidence <file>', 'everything a third party needs to judge')
    .option('--seed <n>', 'order and values; 0 = order of ids', '0').option('--bail', 'stop at the first failure').option('--retries <n>', 'run what failed again; a pass after that is told as flaky', '0')
    .option('--xsd <file>', 'your copy of the 2030.5 schema: every answer in its namespace must keep it (csip)').option('--statement <file>', 'a signed statement of the verdicts').option('--statement-key <file>', 'PEM key that signs it, Ed25519 or P-256; made when it is not there')
    .option('--expect-failures <file>', 'ids that may fail; an unexpected pass fails too')
    .addHelpText('before', 'Examples:\n  $ npx loadstone conformance run vtn --target https://vtn.example/openadr3/3.1.1 --config target.yaml --junit report.xml\n  $ npx loadstone conformance run csms --from ready.json --smoke\n')
    .action(async (subject: string, flags: RunFlags) => { process.exitCode = await run(subject, { ...flags, ...program.opts<{ color: boolean }>() }) })
  noun.command('verify').description('check a signed statement: exit 0 when its signature holds, 3 when not').argument('<file>', 'what --statement wrote').option('--key <file>', 'public key (PEM) of the signer you expect').option('--json', 'one JSON document')
    .addHelpText('before', 'Examples:\n  $ npx loadstone conformance verify statement.json --key signer.pub.pem\n')
    .action(async (file: string, o: { key?: string; json?: boolean }) => { process.exitCode = await verify(file, o) })
  noun.command('artefact').description('compare our descriptions with published files: your own copies').argument('<kind>', 'openapi, sep or ocpp').requiredOption('--file <file>', 'your copy: the OpenAPI file, the schema of 2030.5, the folder of OCPP schemas').option('--json', 'one JSON document')
    .addHelpText('before', 'Examples:\n  $ npx loadstone conformance artefact openapi --file openadr3.yaml\n  $ npx loadstone conformance artefact sep --file sep.xsd\n  $ npx loadstone conformance artefact ocpp --file OCPP-2.0.1_part3_JSON_schemas\n')
    .action(async (kind: string, o: { file: string; json?: boolean }) => { process.exitCode = await artefact(kind, o) })
  noun.command('list').description('list procedures').argument('[subject]', subjects.join(', ')).option('--json', 'one JSON document')
    .addHelpText('before', 'Examples:\n  $ npx loadstone conformance list vtn\n')
    .action(async (subject: string | undefined, flags: { json?: boolean }) => {
      const [{ procedures }, { CliExit, exitCode }] = await Promise.all([import('#conformance/registry.js'), import('#cli/exit-code.js')])
      if (subject !== undefined && !(subjects as readonly string[]).includes(subject)) throw new CliExit(exitCode.usage, `There is no subject '${subject}'; there are ${subjects.join(', ')}.`)
      const rows = Object.entries(procedures).filter(([s]) => subject === undefined || s === subject).flatMap(([s, list]) => list.map((p) => ({ subject: s, id: p.id, title: p.title, clause: p.clause, requirements: p.requirements, profiles: p.profiles, tags: p.tags ?? [], needs: p.needs ?? [], smoke: p.smoke ?? false })))
      if (flags.json) process.stdout.write(`${JSON.stringify({ procedures: rows })}\n`)
      else for (const r of rows) process.stdout.write(`${r.subject.padEnd(5)} ${r.id.padEnd(18)} ${r.title}  [${r.requirements.join(', ')}]\n`)
    })
}

/** UX-012: a target that nobody answers for is 7, not a page of failures. */
async function reach(url: string): Promise<void> {
  const [{ CliExit, exitCode }, { connect }] = await Promise.all([import('#cli/exit-code.js'), import('node:net')])
  const { hostname, port, protocol } = new URL(url)
  const there = await new Promise<boolean>((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (/^(https|wss):/.test(protocol) ? 443 : 80)), timeout: 10_000 })
    const end = (answer: boolean): void => { socket.destroy(); resolve(answer) }
    socket.on('connect', () => end(true))
    socket.on('error', () => end(false))
    socket.on('timeout', () => end(false))
  })
  if (!there) throw new CliExit(exitCode.unreachable, `Nobody answers at ${url}; is the target running?`)
}

async function artefact(kind: string, o: { file: string; json?: boolean }): Promise<number> {
  const [{ CliExit, exitCode }, { comparisons }, { existsSync }] = await Promise.all([import('#cli/exit-code.js'), import('#conformance/artefact/compare.js'), import('node:fs')])
  const compare = comparisons[kind]
  if (!compare) throw new CliExit(exitCode.usage, `There is no artefact '${kind}'; there are openapi, sep and ocpp.`)
  if (!existsSync(o.file)) throw new CliExit(exitCode.notFound, `${o.file} cannot be read.`)
  const { against, compared, differences, explained } = await compare(o.file).catch((error: Error) => { throw new CliExit(exitCode.usage, `${o.file} is not such a file: ${error.message}`) })
  if (compared === 0) throw new CliExit(exitCode.usage, `${o.file} describes nothing that we describe; is it the file for '${kind}'?`)
  const open = differences.filter((d) => !explained.includes(d))
  const sums = `${against}: ${compared} compared, ${open.length} differ${explained.length ? `, ${explained.length} more differ for a reason that stands in vtn/divergences.md` : ''}`
  process.stdout.write(o.json ? `${JSON.stringify({ kind, against, compared, differences: open, explained })}\n` : `${open.map((d) => `${d}\n`).join('')}${sums}\n`)
  return open.length ? exitCode.checksFailed : exitCode.done
}

async function verify(file: string, o: { key?: string; json?: boolean }): Promise<number> {
  const [{ CliExit, exitCode }, { readStatement }, { existsSync, readFileSync }] = await Promise.all([import('#cli/exit-code.js'), import('#conformance/report/statement.js'), import('node:fs')])
  for (const needed of [file, ...(o.key ? [o.key] : [])]) if (!existsSync(needed)) throw new CliExit(exitCode.notFound, `${needed} cannot be read.`)
  try {
    const { statement, signer } = await readStatement(readFileSync(file, 'utf8'), o.key ? readFileSync(o.key, 'utf8') : undefined)
    const sums = Object.entries(statement.summary).filter(([, n]) => n > 0).map(([verdict, n]) => `${n} ${verdict}`).join(', ')
    process.stdout.write(o.json ? `${JSON.stringify({ signer, statement })}\n` : `${statement.subject} ${statement.profile} at ${statement.target}, ${statement.startedAt}: ${sums}\nsigned by key ${signer}${o.key ? ', as expected' : '; --key says whether that is whom you expect'}\n`)
    return exitCode.done
  } catch (error) {
    process.stderr.write(`The statement does not hold: ${(error as Error).message}\n`)
    return exitCode.checksFailed
  }
}

async function run(subjectText: string, flags: RunFlags): Promise<number> {
  const { CliExit, exitCode } = await import('#cli/exit-code.js')
  if (!(subjects as readonly string[]).includes(subjectText)) throw new CliExit(exitCode.usage, `There is no subject '${subjectText}'; there are ${subjects.join(', ')}.`)
  const subject = subjectText as Subject
  const seed = Number(flags.seed)
  const retries = Number(flags.retries)
  if (!Number.isSafeInteger(retries) || retries < 0 || retries > 10) throw new CliExit(exitCode.usage, `--retries takes 0 to 10, not '${flags.retries}'.`)
  if (flags.statement && !flags.statementKey) throw new CliExit(exitCode.usage, '--statement needs --statement-key: a statement is worth what its key is.')
  for (const file of [flags.config, flags.from, flags.expectFailures, flags.xsd]) if (file !== undefined && !(await import('node:fs')).existsSync(file)) throw new CliExit(exitCode.notFound, `${file} cannot be read.`)
  if (!Number.isSafeInteger(seed) || seed < 0) throw new CliExit(exitCode.usage, `--seed takes a whole number, not '${flags.seed}'.`)
  const [{ makeTarget, readTargetFile, directoryOf, lanesOf }, { fromReady }, { runAll }, { select, againstExpected, capabilitiesOf }, { actions }, { procedures }] = await Promise.all([
    import('#conformance/target.js'), import('#conformance/from-ready.js'), import('#conformance/runner.js'), import('#conformance/select.js'), import('#conformance/driver/index.js'), import('#conformance/registry.js'),
  ])
  const file = flags.config ? await readTargetFile(flags.config) : undefined
  // A word that is misspelled would only make procedures not applicable, which nobody notices.
  const asked = capabilitiesOf(procedures[subject])
  for (const word of [...(file?.capabilities ?? []), ...(flags.with ?? [])].filter((each) => !asked.has(each))) process.stderr.write(`No procedure of ${subject} asks for the capability '${word}'; conformance/README.md lists those that there are.\n`)
  const made = makeTarget(subject, {
    ...(flags.target ? { url: flags.target } : {}), ...(flags.profile ? { profile: flags.profile } : {}),
    ...(file && flags.config ? { file, fileDir: directoryOf(flags.config) } : {}),
    ...(flags.from ? { ready: fromReady(flags.from, subject) } : {}),
  })
  const given = flags.with ? { ...made, capabilities: new Set([...made.capabilities, ...flags.with]) } : made
  const nonce = Math.floor(Date.now() / 100).toString(36).slice(-6)
  const chosenTarget = flags.xsd ? { ...given, values: { ...given.values, schema: await (await import('#conformance/driver/schema.js')).schemaCheck(flags.xsd) } } : given
  const chosen = select(procedures[subject], { profile: chosenTarget.profile, only: flags.only ?? [], smoke: flags.smoke ?? false, seed })
  if (chosen.length === 0) throw new CliExit(exitCode.usage, `No procedure of ${subject} ${chosenTarget.profile} matches; 'loadstone conformance list ${subject}' shows them.`)
  if (subject !== 'ven') await reach(chosenTarget.url)
  const target = await (await import('#conformance/fresh-secrets.js')).withFreshSecrets(chosenTarget, nonce)
  const { makeProgress } = await import('#conformance/report/progress.js')
  const begun = performance.now(), progress = makeProgress(process.stderr, process.env, () => performance.now())
  const report = await runAll({
    procedures: chosen, actions, target, seed, retries, lanes: lanesOf(target), ...(flags.bail ? { bail: true } : {}), startedAt: new Date().toISOString(), elapsed: () => performance.now() - begun, nowMs: () => Date.now(), nonce,
    onResult: progress.told,
  })
  progress.end()
  await write(report, flags, target, chosen)
  const { readFileSync } = await import('node:fs')
  const judged = againstExpected(report.results, flags.expectFailures ? readFileSync(flags.expectFailures, 'utf8') : '')
  const unexpected = judged.filter((j) => j.unexpected !== undefined)
  if (flags.expectFailures) for (const j of unexpected) process.stderr.write(`${j.result.id}: ${j.unexpected}\n`)
  return unexpected.length ? exitCode.checksFailed : exitCode.done
}

async function write(whole: Report, flags: RunFlags, target: Target, procedures: readonly Procedure[]): Promise<void> {
  const { writeFileSync } = await import('node:fs')
  const [plain, { evidence, secretsIn, shown }] = await Promise.all([import('#conformance/report/plain.js'), import('#conformance/evidence.js')])
  const secrets = secretsIn(target.values), report = shown(whole, secrets)
  if (flags.junit) writeFileSync(flags.junit, (await import('#conformance/report/junit.js')).junit(report))
  if (flags.html) writeFileSync(flags.html, (await import('#conformance/report/html.js')).html(report))
  if (flags.tap) writeFileSync(flags.tap, plain.tap(report))
  if (flags.markdown) writeFileSync(flags.markdown, plain.markdown(report))
  if (flags.evidence) writeFileSync(flags.evidence, JSON.stringify(evidence(report, { versions: versions(), config: target.values, secrets }), null, 1))
  if (flags.statement && flags.statementKey) {
    const { signStatement, statementKey, statementOf } = await import('#conformance/report/statement.js')
    writeFileSync(flags.statement, `${JSON.stringify(await signStatement(statementOf(report, procedures, versions()), statementKey(flags.statementKey)))}\n`)
  }
  if (flags.annotations) process.stdout.write(plain.annotations(report))
  if (flags.json === true) process.stdout.write(`${JSON.stringify(plain.json(report))}\n`)
  else {
    if (typeof flags.json === 'string') writeFileSync(flags.json, `${JSON.stringify(plain.json(report))}\n`)
    const { inColour, mayColour } = await import('#conformance/report/progress.js'), text = plain.terminal(report)
    process.stdout.write(mayColour(process.stdout, process.env, flags.color) ? inColour(text) : text)
  }
}

const versions = (): Record<string, string> => ({ node: process.versions.node, loadstone: (JSON.parse(readFileSync(join(packageRoot(import.meta.url), 'package.json'), 'utf8')) as { version?: string }).version ?? 'unknown' })
