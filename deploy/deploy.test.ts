import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { packageRoot } from '#core/package-root.js'
import { settings } from '#cli/settings.js'

const root = packageRoot(), at = (...parts: string[]): string => join(root, 'deploy', ...parts)
const text = (...parts: string[]): string => readFileSync(at(...parts), 'utf8')
const has = (tool: string): boolean => !spawnSync(tool, ['--version']).error

/** Ours from docs/metrics.md, histograms with their parts; those of prom-client that we rely on. */
const metrics = (() => {
  const own = [...readFileSync(join(root, 'docs', 'metrics.md'), 'utf8').matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*) \|/gm)]
  const labels = new Map(own.flatMap(([, name = '', type, list = '']) => {
    const of = [...list.matchAll(/`(\w+)`/g)].map((m) => m[1]!)
    return type === 'histogram' ? ['_bucket', '_sum', '_count'].map((part): [string, string[]] => [name + part, [...of, 'le']]) : [[name, of] as [string, string[]]]
  }))
  for (const name of ['up', 'process_resident_memory_bytes', 'nodejs_heap_size_used_bytes', 'nodejs_eventloop_lag_p99_seconds']) labels.set(name, [])
  return labels
})()
const functions = new Set(['rate', 'sum', 'by', 'histogram_quantile', 'predict_linear', 'offset', 'or', 'and', 'label_values'])
const everywhere = new Set(['instance', 'job', 'part'])

/** Names and labels of a PromQL expression that no metric has. */
function dangling(expression: string): string[] {
  const faults: string[] = [], plain = expression.replaceAll(/\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)|"[^"]*"/g, ' ')
  for (const [name] of plain.matchAll(/\b[a-z_][a-z0-9_]*\b/g)) if (!functions.has(name) && !metrics.has(name) && !/^\d|^[hmsde]$/.test(name)) faults.push(name)
  for (const [, name = '', inside = ''] of expression.matchAll(/(\w+)\{([^}]*)\}/g)) for (const [, label = ''] of inside.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) if (!everywhere.has(label) && !metrics.get(name)?.includes(label)) faults.push(`${name}{${label}}`)
  for (const [, list = ''] of expression.matchAll(/by \(([^)]*)\)/g)) for (const label of list.split(',').map((l) => l.trim())) if (!everywhere.has(label) && ![...metrics.values()].some((own) => own.includes(label))) faults.push(`by ${label}`)
  return faults
}

interface Rule { alert: string; expr: string; for: string; labels: { severity: string }; annotations: { summary: string; runbook_url: string } }

t.test('UX-073 alert rules and dashboards name metrics that there are; each alert has a runbook, each runbook an alert', async (t) => {
  t.ok(metrics.size > 15)
  t.same(dangling('rate(loadstone_nothing_total{status="1"}[5m])'), ['loadstone_nothing_total', 'loadstone_nothing_total{status}'], 'this test sees what dangles')
  t.same(dangling('sum by (colour) (loadstone_csip_events{size="1"})'), ['loadstone_csip_events{size}', 'by colour'])
  const { groups } = parse(text('prometheus', 'rules.yaml')) as { groups: { rules: Rule[] }[] }, rules = groups.flatMap((g) => g.rules)
  for (const rule of rules) {
    t.same(dangling(rule.expr), [], rule.alert)
    t.match(rule, { for: /^\d+[mh]$/, labels: { severity: /^(critical|warning|info)$/ }, annotations: { summary: /\w/, runbook_url: `docs/runbooks/${rule.alert}.md` } })
    const page = readFileSync(join(root, rule.annotations.runbook_url), 'utf8')
    t.match(page, new RegExp(`^# ${rule.alert}\\n\\n.+\\n\\n\\*\\*Who notices:\\*\\* .+\\n\\n\\*\\*What to do\\*\\*\\n\\n1\\. .+\\n2\\. `), `the page of ${rule.alert}`)
  }
  t.same(readdirSync(join(root, 'docs', 'runbooks')).sort(), rules.map((r) => `${r.alert}.md`).sort())
  const board = JSON.parse(text('grafana', 'loadstone.json')) as { panels: { title: string; targets: { expr: string }[] }[]; templating: { list: { query: string }[] } }
  for (const { title, targets } of board.panels) for (const { expr } of targets) t.same(dangling(expr), [], title)
  t.same(dangling(board.templating.list[1]!.query.replace(/, \w+\)/, ')')), [])
  const shown = JSON.stringify(board)
  t.same([...metrics.keys()].filter((name) => name.startsWith('loadstone_') && !/_(sum|count)$/.test(name) && !shown.includes(name)), [], 'every metric of ours is on the dashboard')
  if (has('promtool')) t.equal(spawnSync('promtool', ['check', 'rules', at('prometheus', 'rules.yaml')]).status, 0)
})

t.test('UX-074 container file and compose: not root, read-only, no secrets, ports of the contract', async (t) => {
  const file = text('Containerfile')
  t.match(file, /^USER 10001:10001$/m)
  t.match(file, /^VOLUME \/data$/m)
  t.match(file, /^HEALTHCHECK .*\/healthz/m)
  t.match(file, /^ENTRYPOINT \["node", "build\/cli\/loadstone\.js"\]$/m)
  t.ok(file.indexOf('USER 10001') < file.indexOf('ENTRYPOINT'))
  t.same([...file.matchAll(/^COPY (?!--from)(\S+(?: \S+)*) \S+$/gm)].flatMap((m) => m[1]!.split(' ')).filter((f) => !existsSync(join(root, f))), [], 'what it copies is there')
  for (const image of file.matchAll(/^FROM (\S+)/gm)) t.notMatch(image[1], /latest$|^\w+$/, 'images have a version')
  const ports = Object.values(settings).filter((s) => s.key.endsWith('Port') && Number(s.default) > 0).map((s) => Number(s.default)).sort((a, b) => a - b)
  t.same(/^EXPOSE (.*)$/m.exec(file)?.[1]?.split(' ').map(Number).sort((a, b) => a - b), ports)

  // the image without an engine: what its last stage copies, in a folder of its own, and the program started there
  const image = mkdtempSync(join(tmpdir(), 'loadstone-image-'))
  t.teardown(() => rmSync(image, { recursive: true, force: true }))
  chmodSync(image, 0o755)
  for (const [, from = '', to = ''] of file.matchAll(/^COPY --from=build \S+ \/app\/(\S+) (\S+)$/gm)) {
    mkdirSync(dirname(join(image, to)), { recursive: true })
    if (from === 'node_modules') symlinkSync(join(root, from), join(image, to))
    else cpSync(join(root, from), to.endsWith('/') ? join(image, to, from) : join(image, to), { recursive: true, filter: (path) => !/\.(map|test\.js)$/.test(path) })
  }
  const { PATH = '', HOME = '' } = process.env, runs = (...args: string[]) => spawnSync(process.execPath, [join(image, 'build', 'cli', 'loadstone.js'), ...args], { cwd: image, encoding: 'utf8', env: { PATH, HOME, LOADSTONE_DATA: join(image, 'data') }, timeout: 60_000 })
  t.match(runs('--version').stdout, /^\d+\.\d+\.\d+/)
  t.equal(runs('conformance', 'list', 'vtn').status, 0)
  const started = spawn(process.execPath, [join(image, 'build', 'cli', 'loadstone.js'), 'serve'], { cwd: image, env: { PATH, HOME, LOADSTONE_DATA: join(image, 'data'), LOADSTONE_PORT_BASE: String(22_000 + (process.pid % 900) * 10) }, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  const ready = new Promise<boolean>((done) => {
    for (const stream of [started.stdout, started.stderr]) stream.on('data', (d: Buffer) => { said += String(d); if (said.includes('"ready":true')) done(true) })
    started.once('exit', () => done(false))
  })
  t.ok(await ready, `it starts from what the image holds: ${said.slice(-300)}`)
  const ended = new Promise((done) => { started.once('exit', done) })
  started.kill('SIGTERM')
  await ended

  const compose = parse(text('compose.yaml')) as { services: Record<string, { read_only?: boolean; user?: string; cap_drop?: string[]; security_opt?: string[]; ports?: string[]; environment?: Record<string, string>; image: string }>; secrets: object }
  t.match(compose.services['loadstone'], { read_only: true, user: '10001:10001', cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
  t.same(compose.services['loadstone']!.ports?.map((p) => Number(p.split(':').at(-1))).sort((a, b) => a - b), ports)
  t.ok(compose.services['loadstone']!.ports?.includes('127.0.0.1:8080:8080'), 'the operator door stays on loopback')
  t.same(Object.keys(compose.secrets), ['seal', 'postgres'])
  t.notMatch(text('compose.yaml'), /PASSWORD: |password=\w|SEAL_KEY: /)
  for (const tool of ['docker', 'podman']) if (has(tool) && !spawnSync(tool, ['compose', 'version']).error && spawnSync(tool, ['compose', 'version']).status === 0) t.equal(spawnSync(tool, ['compose', '-f', at('compose.yaml'), 'config', '-q']).status, 0)
})

/** Enough of Helm's templates to look at what comes out: values, conditions that hold, `toYaml`. */
function rendered(source: string, values: Record<string, unknown>): unknown[] {
  const look = (path: string): unknown => path.split('.').filter(Boolean).reduce<unknown>((o, k) => (o as Record<string, unknown>)?.[k], { Values: values, Release: { Name: 'flex' }, Chart: { AppVersion: '0.1.0' } })
  const plain = source
    .replaceAll(/^\s*\{\{-? range \$name, \$value := (\S+) \}\}\n([\s\S]*?)^\s*\{\{-? end \}\}\n/gm, '').replaceAll(/^\s*\{\{-? (?:if|with) [^}]+\}\}\n([\s\S]*?)^\s*\{\{-? end \}\}\n/gm, '$1')
    .replaceAll(/\{\{-? toYaml \.(\S+) \| nindent \d+ \}\}/g, (_, path: string) => ` ${JSON.stringify(look(path))}`)
    .replaceAll(/\{\{ \.(\S*)( \| quote)? \}\}/g, (_, path: string, quoted?: string) => { const value = look(path); return quoted ? JSON.stringify(String(value)) : String(value ?? 'x') })
  return parseAllDocuments(plain).map((d) => { if (d.errors.length) throw d.errors[0]!; return d.toJS() as unknown })
}

t.test('UX-074 Helm chart: no rights, probes, secrets by reference, names of settings that there are', async (t) => {
  const chart = parse(text('helm', 'loadstone', 'Chart.yaml')) as object, values = parse(text('helm', 'loadstone', 'values.yaml')) as Record<string, unknown>
  t.match(chart, { apiVersion: 'v2', name: 'loadstone', version: /^\d+\.\d+\.\d+$/, appVersion: (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version })
  const files = readdirSync(at('helm', 'loadstone', 'templates')), all = new Map(files.map((f) => [f, rendered(text('helm', 'loadstone', 'templates', f), values)]))
  const [set] = all.get('statefulset.yaml') as [{ spec: { replicas: number; template: { spec: { securityContext: object; automountServiceAccountToken: boolean; containers: { env: { name: string; value?: string }[]; securityContext: object; livenessProbe: object; readinessProbe: object; ports: { name: string; containerPort: number }[] }[] } } } }]
  const pod = set.spec.template.spec, [box] = pod.containers
  t.match(pod, { automountServiceAccountToken: false, securityContext: { runAsNonRoot: true, runAsUser: 10001 } })
  t.match(box, { securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } }, livenessProbe: { httpGet: { path: '/healthz' } }, readinessProbe: { httpGet: { path: '/readyz' } } })
  const variables = new Set<string>(Object.values(settings).map((s) => s.variable))
  t.same(box!.env.map((e) => e.name).filter((name) => !variables.has(name)), [])
  t.same(box!.env.filter((e) => e.value !== undefined && /KEY|URL|TOKEN|PASSWORD/.test(e.name)), [], 'secrets by reference alone')
  const named = new Set(box!.ports.map((p) => p.name))
  for (const service of all.get('service.yaml') as { spec: { type?: string; ports: { targetPort: string }[] } }[]) {
    for (const { targetPort } of service.spec.ports) t.ok(named.has(targetPort), targetPort)
    if (service.spec.type === 'LoadBalancer') t.notOk(service.spec.ports.some((p) => p.targetPort === 'operator'), 'the operator door is not put outside')
  }
  t.match(all.get('networkpolicy.yaml'), [{ kind: 'NetworkPolicy' }])
  t.match(all.get('servicemonitor.yaml'), [{ kind: 'ServiceMonitor', spec: { endpoints: [{ path: '/metrics' }] } }])
  if (has('helm')) t.equal(spawnSync('helm', ['lint', '--strict', at('helm', 'loadstone')]).status, 0)
})

t.test('UX-074 systemd units are hardened, and run what there is', async (t) => {
  const unit = text('systemd', 'loadstone.service')
  for (const line of ['NoNewPrivileges=yes', 'ProtectSystem=strict', 'ProtectHome=yes', 'PrivateTmp=yes', 'DynamicUser=yes', 'CapabilityBoundingSet=', 'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX', 'KillSignal=SIGTERM', 'Restart=on-failure']) t.ok(unit.split('\n').includes(line), line)
  t.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]) > 10, 'longer than REL-003 takes')
  t.match(text('systemd', 'loadstone-backup.service'), /loadstone\.js db backup /)
  t.match(text('systemd', 'loadstone-backup.timer'), /^OnCalendar=/m)
  // the embedded database belongs to the service's own dynamic user, and takes nobody else for its owner
  const users = ['loadstone.service', 'loadstone-backup.service'].map((f) => ['DynamicUser', 'User'].map((key) => new RegExp(`^${key}=(\\S+)$`, 'm').exec(text('systemd', f))?.[1]))
  t.same(users, [['yes', 'loadstone'], ['yes', 'loadstone']])
  const [, folder = ''] = /db backup "([^"$]+)\//.exec(text('systemd', 'loadstone-backup.service')) ?? []
  t.match(text('systemd', 'loadstone-backup.service'), new RegExp(`^StateDirectory=loadstone ${folder.replace('/var/lib/', '')}$`, 'm'), 'it may write where it writes')
  for (const file of readdirSync(at('systemd'))) for (const line of text('systemd', file).split('\n')) t.match(line, /^(#.*|\[(Unit|Service|Timer|Install)\]|[A-Z]\w+=.*|)$/, `${file}: ${line}`)
  if (!has('systemd-analyze')) return
  const copy = mkdtempSync(join(tmpdir(), 'loadstone-units-'))
  t.teardown(() => rmSync(copy, { recursive: true, force: true }))
  // the programs of a machine that has it installed are not here
  for (const file of readdirSync(at('systemd'))) writeFileSync(join(copy, file), text('systemd', file).replaceAll(/^(ExecStart|ExecStartPost|ExecReload)=\S+/gm, '$1=/bin/true'))
  const verified = spawnSync('systemd-analyze', ['verify', '--man=no', ...readdirSync(copy).map((f) => join(copy, f))], { encoding: 'utf8' })
  t.notMatch(verified.stderr, /Unknown key|Failed to parse|Invalid/i)
})

t.test('UX-070, UX-078 the pages name settings and files that there are', async (t) => {
  const variables = new Set<string>(Object.values(settings).map((s) => s.variable)), elsewhere = new Set(['LOADSTONE_BACKUP_KEY'])
  const pages = ['README.md', 'compose.yaml', 'Containerfile', 'systemd/loadstone.service', 'systemd/loadstone-backup.service'].map((f) => text(f)).join('\n')
  t.same([...new Set([...pages.matchAll(/LOADSTONE_[A-Z_]+/g)].map((m) => m[0]))].filter((name) => !variables.has(name) && !elsewhere.has(name)), [])
  for (const [, file = ''] of text('README.md').matchAll(/^\| `([\w./-]+)`/gm)) t.ok(existsSync(at(file)), file)
  t.match(text('README.md'), /^## Sizes$/m)
})
