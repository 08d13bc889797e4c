import type { Subject } from '#conformance/procedure.js'
import type { RawAnswer, Tamper } from '#conformance/runner.js'

/** A server that is wrong in one way, and the procedure that is there to see it. */
export interface Planted { readonly name: string; readonly subject: Subject; readonly profile: string; readonly caughtBy: string; readonly tamper: Tamper }

type Args = Readonly<Record<string, unknown>>
type Change = (answer: RawAnswer, args: Args) => Partial<RawAnswer> | undefined
const http = (change: Change): Tamper => ({ http: change })
const path = (args: Args): string => new URL(String(args['url'])).pathname
const is = (args: Args, method: string, end: RegExp): boolean => String(args['method'] ?? 'GET') === method && end.test(path(args))
/** The JSON or text of an answer to a certain request, changed. */
const json = (method: string, end: RegExp, change: (body: never) => unknown): Tamper => http((a, args) => (is(args, method, end) && a.text.startsWith('{') || is(args, method, end) && a.text.startsWith('[') ? { text: JSON.stringify(change(JSON.parse(a.text) as never)) } : undefined))
const text = (method: string, end: RegExp, change: (text: string) => string): Tamper => http((a, args) => (is(args, method, end) ? { text: change(a.text) } : undefined))
const status = (from: number, to: number): Tamper => http((a) => (a.status === from ? { status: to } : undefined))
const without = (name: string): Tamper => http((a) => ({ headers: Object.fromEntries(Object.entries(a.headers).filter(([k]) => k !== name)) }))
const vtn = (name: string, caughtBy: string, tamper: Tamper): Planted => ({ name, subject: 'vtn', profile: caughtBy.startsWith('vtn301') ? '3.0.1' : '3.1.1', caughtBy, tamper })
const csip = (name: string, caughtBy: string, tamper: Tamper): Planted => ({ name, subject: 'csip', profile: 'csip', caughtBy, tamper })
const aus = (name: string, caughtBy: string, tamper: Tamper): Planted => ({ name, subject: 'csip', profile: 'csip-aus-1.3', caughtBy, tamper })
const csms = (name: string, caughtBy: string, tamper: Tamper): Planted => ({ name, subject: 'csms', profile: caughtBy.startsWith('csms16') ? '1.6' : caughtBy.startsWith('csms21') ? '2.1' : '2.0.1', caughtBy, tamper })
const est = (name: string, caughtBy: string, tamper: Tamper): Planted => ({ name, subject: 'est', profile: 'rfc7030', caughtBy, tamper })
const frame = (change: (frame: unknown[]) => unknown): Tamper => ({ frame: (f) => (Array.isArray(f) ? change(f) : f) })
const result = (change: (payload: Record<string, unknown>) => object): Tamper => frame((f) => (f[0] === 3 ? [3, f[1], change(f[2] as Record<string, unknown>)] : f))
const reverse = (rows: unknown[]): unknown[] => rows.toReversed()
const members = (xml: string, member: string, change: (all: string[]) => string[]): string => {
  const all = xml.match(new RegExp(`<${member} [\\s\\S]*?</${member}>`, 'g')) ?? []
  return all.length ? xml.replace(all.join(''), change([...all]).join('')) : xml
}

const starts = (control: string): number => Number(/<start>(\d+)</.exec(control)?.[1]), created = (control: string): number => Number(/<creationTime>(\d+)</.exec(control)?.[1])

/** At least forty (issue F): wrong order, wrong status, leaks, losses, lateness, duplicates, numbers that are off. */
export const planted: readonly Planted[] = [
  vtn('a list answers in the wrong order', 'vtn.list.order', json('GET', /\/events$/, reverse)),
  vtn('a page repeats a member', 'vtn.list.walk', json('GET', /\/events$/, (rows: unknown[]) => (rows.length > 1 ? [rows[0], rows[0], ...rows.slice(2)] : rows))),
  vtn('limit 51 is let through', 'vtn.list.limits.events', status(400, 200)),
  vtn('an unknown id is 200', 'vtn.program.unknown', http((a) => (a.status === 404 ? { status: 200, text: '{}' } : undefined))),
  vtn('a duplicate name is 201', 'vtn.unique.program', status(409, 201)),
  vtn('a race lets two writers through', 'vtn.unique.race', (() => { let let_ = 1; return http((a) => (a.status === 409 && let_-- > 0 ? { status: 201, text: '{"id":"x"}' } : undefined)) })()),
  vtn('a target of somebody else leaks', 'vtn.privacy.hiding', json('GET', /\/events\/[^/]+$/, (e: { targets: string[] }) => ({ ...e, targets: [...(e.targets ?? []), 'secret'] }))),
  vtn('a VEN reads another VEN’s event', 'vtn.privacy.targeted', http((a, args) => (a.status === 404 && is(args, 'GET', /\/events\//) ? { status: 200, text: '{"id":"x"}' } : undefined))),
  vtn('privacy is applied after the page is cut', 'vtn.privacy.page', json('GET', /\/events$/, (rows: unknown[]) => rows.slice(0, 1))),
  vtn('405 without Allow', 'vtn.program.methods', without('allow')),
  vtn('an unknown method is 404', 'vtn.event.methods', status(405, 404)),
  vtn('a bad token is 403 on 3.1', 'vtn.auth.no-token', status(401, 403)),
  vtn('a token answer may be cached', 'vtn.auth.token', without('cache-control')),
  vtn('scope is a list', 'vtn.auth.token', json('POST', /token$/, (t: { scope: string }) => ({ ...t, scope: t.scope.split(' ') }))),
  vtn('objectType is missing', 'vtn.event.create', json('POST', /\/events$/, ({ objectType: _o, ...e }: Record<string, unknown>) => e)),
  vtn('P9999Y is rewritten', 'vtn.event.letters', text('POST', /\/events$/, (t) => t.replace('"P9999Y"', '"P9999Y0M0DT0H0M0S"'))),
  vtn('a duration becomes another one', 'vtn.event.literal', text('POST', /\/events$/, (t) => t.replace('"PT24H"', '"P1W"'))),
  vtn('numbers lose their digits', 'vtn.event.literal', text('POST', /\/events$/, (t) => t.replace('[0.1,', '[0.10000000149,'))),
  vtn('a PUT does not advance the time of change', 'vtn.program.replace', json('PUT', /\/programs\//, (p: Record<string, unknown>) => ({ ...p, modificationDateTime: p['createdDateTime'] }))),
  vtn('an error is no Problem', 'vtn.program.required', http((a) => (a.status === 400 ? { text: '"bad"' } : undefined))),
  vtn('an error tells its stack', 'vtn.program.required', json('POST', /\/programs$/, (p: Record<string, unknown>) => ({ ...p, detail: 'at insert (db.ts:12:4)' }))),
  vtn('active=true keeps what is over', 'vtn.filter.active', http((a, args) => (String(args['url']).includes('active=true') && a.text.startsWith('[') ? { text: JSON.stringify([...(JSON.parse(a.text) as unknown[]), { id: 'over' }]) } : undefined))),
  vtn('a notification is lost', 'vtn.webhook.event', { arrival: (t, m) => m === 'GET' || !t.includes('"UPDATE"') }),
  vtn('the challenge is not sent', 'vtn.webhook.echo', { arrival: (_t, m) => m !== 'GET' }),
  vtn('a VEN is told another VEN’s topics', 'vtn.mqtt.topics.ven', http((a, args) => (a.status === 404 && /topics/.test(path(args)) ? { status: 200, text: '{"topics":{}}' } : undefined))),
  vtn('3.0.1 loses its flat fields', 'vtn301.program.fields', json('POST', /\/programs$/, ({ retailerName: _r, ...p }: Record<string, unknown>) => p)),

  csip('children out of schema order', 'csip.time', text('GET', /\/tm$/, (t) => t.replace(/(<currentTime>\d+<\/currentTime>)([\s\S]*?)(<quality>)/, '$2$1$3'))),
  csip('the SFDI has a wrong check digit', 'csip.sfdi', text('GET', /\/edev\/[^/]+$/, (t) => t.replace(/<sFDI>(\d+)(\d)<\/sFDI>/, (_m, a: string, b: string) => `<sFDI>${a}${(Number(b) + 1) % 10}</sFDI>`))),
  csip('the PIN has a wrong check digit', 'csip.registration', text('GET', /\/rg$/, (t) => t.replace(/<pIN>(\d*)(\d)<\/pIN>/, (_m, a: string, b: string) => `<pIN>${a}${(Number(b) + 1) % 10}</pIN>`))),
  csip('the clock is a minute late', 'csip.time', text('GET', /\/tm$/, (t) => t.replace(/<currentTime>(\d+)/, (_m, s: string) => `<currentTime>${Number(s) - 60}`))),
  csip('a list’s all is off by one', 'csip.link-count', text('GET', /\/fsa$/, (t) => t.replace(/ all="(\d+)"/, (_m, n: string) => ` all="${Number(n) + 1}"`))),
  csip('FSAs in rising order', 'csip.fsa', text('GET', /\/fsa$/, (t) => members(t, 'FunctionSetAssignments', (all) => all.toReversed()))),
  csip('a foreign record is 200', 'csip.access.foreign', http((a) => (a.status === 404 || a.status === 403 ? { status: 200 } : undefined))),
  csip('405 without Allow', 'csip.method.DeviceCapability', without('allow')),
  csip('an error without a body', 'csip.paths', http((a) => (a.status >= 400 ? { text: '' } : undefined))),
  csip('chunked answers', 'csip.framing', http((a) => ({ headers: { ...a.headers, 'transfer-encoding': 'chunked' } }))),
  csip('another namespace', 'csip.framing', text('GET', /dcap$/, (t) => t.replace('urn:ieee:std:2030.5:ns', 'http://ieee.org/2030.5'))),
  csip('an event that runs is told as scheduled', 'csip.event.active', text('GET', /\/derc\//, (t) => t.replace('<currentStatus>1<', '<currentStatus>0<'))),
  csip('a cancelled event vanishes', 'csip.event.cancel', text('GET', /\/derc$/, (t) => members(t, 'DERControl', () => []))),
  csip('an ended event stays in the list', 'csip.event.ends', (() => { let kept: string | undefined; return text('GET', /\/derc$/, (t) => (kept ??= t)) })()),
  csip('supersede is not noticed', 'csip.event.supersede', text('GET', /\/derc\//, (t) => t.replace('<currentStatus>4<', '<currentStatus>1<'))),
  csip('a notification is lost', 'csip.sub.notify', { arrival: () => false }),
  csip('a response with a wrong code is taken', 'csip.event.response.codes', status(400, 201)),
  csip('a reading of the future is taken', 'csip.mup.readings', status(400, 201)),
  csip('a PUT of status is not stored', 'csip.own.status', text('GET', /\/ders$/, (t) => t.replace(/<value>6<\/value>/, '<value>1</value>'))),
  csip('a good certificate is turned away', 'csip.cert.good', status(200, 403)),

  csms('error names are misspelt', 'csms.Authorize.wrong', frame((f) => (f[0] === 4 ? [4, f[1], 'FormationViolation', f[3], f[4]] : f))),
  csms('an unknown action is answered', 'csms.rpc.unknown-action', frame((f) => (f[0] === 4 ? [3, f[1], {}] : f))),
  csms('an error echoes what was sent', 'csms.rpc.echo', frame((f) => (f[0] === 4 ? [4, f[1], f[2], 'hunter2', f[4]] : f))),
  csms('answers come in the wrong order', 'csms.rpc.order', frame((f) => (f[0] === 3 && f[1] === 'b0' ? [3, 'b1', f[2]] : f[0] === 3 && f[1] === 'b1' ? [3, 'b0', f[2]] : f))),
  csms('an answer is lost', 'csms.Heartbeat', frame((f) => (f[0] === 3 && Object.keys(f[2] as object).length === 1 ? null : f))),
  csms('a blocked token is accepted', 'csms.auth.statuses', result((p) => (p['idTokenInfo'] ? { ...p, idTokenInfo: { status: 'Accepted' } } : p))),
  csms('the group is forgotten', 'csms.tx.group', result((p) => (p['idTokenInfo'] ? { ...p, idTokenInfo: { status: (p['idTokenInfo'] as { status: string }).status } } : p))),
  csms('a transaction event earns an error', 'csms.tx.out-of-order', frame((f) => (f[0] === 3 && !('status' in (f[2] as object)) ? [4, f[1], 'InternalError', '', {}] : f))),
  csms('the clock has no zone', 'csms.Heartbeat', result((p) => ('currentTime' in p ? { ...p, currentTime: String(p['currentTime']).replace('Z', '') } : p))),
  csms('a boot is answered without an interval', 'csms.BootNotification', result(({ interval: _i, ...p }) => p)),
  csms('two calls at once', 'csms.send.one-at-a-time', { twice: (f) => Array.isArray(f) && f[0] === 2 && f[2] === 'ClearCache' }),
  csms('a charging profile’s id is off', 'csms.send.SetChargingProfile', frame((f) => (f[0] === 2 && f[2] === 'SetChargingProfile' ? [2, f[1], f[2], { ...(f[3] as object), evseId: 2 }] : f))),
  csms('a replayed start gets a new id', 'csms16.session.replay', (() => { let n = 0; return result((p) => ('transactionId' in p ? { ...p, transactionId: Number(p['transactionId']) + (n += 1) } : p)) })()),

  est('cacerts without its root', 'est.cacerts', http((a, args) => (path(args).endsWith('cacerts') ? { status: 204, text: '' } : undefined))),
  est('a wrong secret is let through', 'est.wrong-secret', status(401, 200)),
  est('no challenge', 'est.unauthenticated', without('www-authenticate')),
  est('wrapped base64', 'est.cacerts', text('GET', /cacerts$/, (t) => (t.match(/.{1,64}/g) ?? []).join('\r\n'))),

  vtn('a topic filter catches another VEN’s topics', 'vtn.mqtt.disjoint', json('GET', /topics\/vens\/[^/]+$/, (t: { topics: object }) => ({ topics: { ...t.topics, ALL: 'vens/+/+' } }))),
  vtn('a ven gets the schema’s words as targets', 'vtn.ven.no-targets', json('POST', /\/vens$/, (v: object) => ({ ...v, targets: 'null          -' }))),
  vtn('a list of payload values is cut to its first', 'vtn.payload.types', json('POST', /\/events$/, (e: { intervals?: { payloads: { type: string; values: unknown[] }[] }[] }) => ({ ...e, intervals: (e.intervals ?? []).map((i) => ({ ...i, payloads: i.payloads.map((p) => ({ ...p, values: p.values.slice(0, 1) })) })) }))),
  vtn('either role may use either form', 'vtn.roles', status(400, 201)),
  vtn('a report moves to another event', 'vtn.moves', status(400, 200)),
  vtn('a schedule of reports loses its frequency', 'vtn.report-descriptor', text('GET', /\/events\/[^/]+$/, (t) => t.replace('"frequency":2', '"frequency":-1'))),
  vtn('times are told without their zone', 'vtn.program.create', text('POST', /\/programs$/, (t) => t.replace(/("createdDateTime":"[^"]+)Z"/, '$1"'))),
  vtn('a deleted object is not shown', 'vtn.event.delete', http((a, args) => (is(args, 'DELETE', /\/events\//) && a.status === 200 ? { status: 204, text: '' } : undefined))),
  vtn('an old ETag is still good after a change', 'vtn.program.etag', (() => { let changed = false; return http((a, args) => { changed ||= is(args, 'PUT', /\/programs\//); return changed && is(args, 'GET', /\/programs\//) ? { status: 304, text: '' } : undefined }) })()),

  csip('a control that controls nothing is let through', 'csip.drlc', status(400, 201)),
  csip('messages come oldest first', 'csip.messaging', text('GET', /\/acttxt$/, (t) => members(t, 'TextMessage', (all) => all.toReversed()))),
  csip('a price has lost its sign', 'csip.pricing', text('GET', /\/cti$/, (t) => t.replace('<price>-', '<price>'))),
  csip('a cancelled reservation stays granted', 'csip.flow', text('GET', /\/frp$/, (t) => t.replaceAll('<currentStatus>2<', '<currentStatus>0<'))),
  csip('a switched-off device is served', 'csip.disabled', status(403, 200)),
  csip('a new poll rate is not told', 'csip.poll-rate', text('GET', /\/edev$/, (t) => t.replace(/pollRate="\d+"/, 'pollRate="300"'))),
  csip('a link leaves the path prefix', 'csip.prefix', text('GET', /dcap$/, (t) => t.replace('href="/tm"', 'href="tm"'))),
  csip('an mRID differs from device to device', 'csip.event.group', text('GET', /\/derc$/, (t) => t.replace(/<mRID>([0-9A-F]{30})../g, '<mRID>$100'))),
  csip('a response of another device is taken', 'csip.event.response.subject', http((a, args) => (a.status === 403 && is(args, 'POST', /rsp/) ? { status: 201, text: '', headers: { location: '/x' } } : undefined))),

  csms('a station that waits is heard', 'csms.pending', frame((f) => (f[0] === 4 && f[2] === 'SecurityError' ? [3, f[1], {}] : f))),
  csms('a rejected station is told to wait', 'csms.rejected', result((p) => (p['status'] === 'Rejected' ? { ...p, status: 'Pending' } : p))),
  csms('a broken rule is let through', 'csms.rule.kind', status(422, 200)),
  csms('a long list comes whole each time', 'csms.rule.local-list', frame((f) => (f[0] === 2 && f[2] === 'SendLocalList' ? [2, f[1], f[2], { ...(f[3] as object), updateType: 'Full' }] : f))),
  csms('variables are asked for out of order', 'csms.rule.split', frame((f) => (f[0] === 2 && f[2] === 'GetVariables' ? [2, f[1], f[2], { getVariableData: ((f[3] as { getVariableData: unknown[] }).getVariableData).toReversed() }] : f))),
  csms('a certificate for another station', 'csms.certificate', frame((f) => (f[0] === 2 && f[2] === 'CertificateSigned' ? [2, f[1], f[2], { ...(f[3] as object), certificateType: 'V2GCertificate' }] : f))),
  csms('a wrong request for a certificate is accepted', 'csms.certificate.wrong', result((p) => (p['status'] === 'Rejected' ? { status: 'Accepted' } : p))),
  csms('an order holds for ever', 'csms.dispatch.lease', frame((f) => (f[0] === 2 && f[2] === 'SetChargingProfile' ? [2, f[1], f[2], JSON.parse(JSON.stringify(f[3]).replace(/"duration":\d+/, '"duration":28800'))] : f))),
  csms('a rejected form is sent again as it was', 'csms.dispatch.rejected', frame((f) => (f[0] === 2 && f[2] === 'SetChargingProfile' ? [2, f[1], f[2], JSON.parse(JSON.stringify(f[3]).replace(/"chargingRateUnit":"."/, '"chargingRateUnit":"W"'))] : f))),
  csms('a cancelled order clears another profile', 'csms.dispatch.cancel', frame((f) => (f[0] === 2 && f[2] === 'ClearChargingProfile' ? [2, f[1], f[2], { chargingProfileId: 7 }] : f))),
  csms('a CALLRESULTERROR is lost', 'csms21.bad-result', frame((f) => (f[0] === 5 ? null : f))),
  csms('a pulled schedule is invented', 'csms21.PullDynamicScheduleUpdate', result((p) => (p['status'] === 'Rejected' ? { status: 'Accepted' } : p))),

  csip('of controls that begin together the older comes first', 'csip.event.order', text('GET', /\/derc$/, (t) => members(t, 'DERControl', (all) => all.toSorted((a, b) => starts(a) - starts(b) || created(a) - created(b))))),
  csip('booleans are told as they were written', 'csip.boolean', text('GET', /\/derc\//, (t) => t.replace('<opModEnergize>true<', '<opModEnergize>1<'))),
  csip('a blocked certificate goes on', 'csip.blocked', http((a, args) => (is(args, 'GET', /dcap$/) && a.status === 0 || a.status === 403 ? { status: 200 } : undefined))),
  csip('a reading sent again is doubled', 'csip.mup.upsert', text('GET', /\/rs\/.*\/r$/, (t) => t.replace(/all="1"/, 'all="2"'))),
  csip('what was mirrored comes back as another number', 'csip.usage-point', text('GET', /\/rs\/.*\/r$/, (t) => t.replace('<value>77<', '<value>78<'))),
  csip('a status of nobody’s making', 'csip.register', http((a, args) => (a.status === 404 && is(args, 'GET', /\/ders$/) ? { status: 200 } : undefined))),
  csip('a Condition is passed over', 'csip.sub.condition', status(400, 201)),
  csip('a subscription cannot be replaced', 'csip.sub.create', http((a, args) => (is(args, 'PUT', /\/sub\//) ? { status: 405 } : undefined))),
  csip('a new default is not told', 'csip.sub.default', { arrival: (t) => !t.includes('DefaultDERControl') }),

  csip('nobody’s certificate is good enough', 'csip.cert.stranger', status(200, 403)),
  csip('two hours of randomization are let through', 'csip.event.randomize-range', http((a, args) => (a.status >= 400 && is(args, 'POST', /derc$/) ? { status: 201 } : undefined))),
  vtn('what the older revision wrote has lost its targets', 'vtn.both-surfaces.back', json('GET', /\/programs\/[^/]+$/, (p: object) => ({ ...p, targets: [] }))),
  est('no request at all is good', 'est.garbage', http((a, args) => (is(args, 'POST', /simpleenroll$/) && a.status === 200 ? { status: 400 } : undefined))),

  aus('the limits stand before the base’s own', 'csip.aus.limits', text('GET', /\/derc\//, (t) => t.replace(/(<opModMaxLimW>\d+<\/opModMaxLimW>)([\s\S]*?)(<\/DERControlBase>)/, '$2$1$3'))),
  aus('one of the limits is lost', 'csip.aus.limits', text('GET', /\/derc\//, (t) => t.replace(/<(\w+:)?opModGenLimW[\s\S]*?opModGenLimW>/, ''))),
  aus('the default has no limits', 'csip.aus.default', text('GET', /\/dderc$/, (t) => t.replace(/<(\w+:)?opModExpLimW[\s\S]*?opModExpLimW>/, ''))),
  aus('the namespace is that of the other version', 'csip.aus.connection-point', text('GET', /\/cp$/, (t) => t.replaceAll('https://csipaus.org/ns/v1.3', 'https://csipaus.org/ns'))),
  aus('a ConnectionPoint is written without a Location', 'csip.aus.connection-point', http((a, args) => (is(args, 'PUT', /\/cp$/) ? { headers: { ...a.headers, location: undefined } } : undefined))),
  aus('doeModesSupported need not be there', 'csip.aus.capability', status(400, 204)),
  aus('doeModesEnabled is not kept', 'csip.aus.settings', text('GET', /\/derg$/, (t) => t.replace(/<(\w+:)?doeModesEnabled[\s\S]*?doeModesEnabled>/, ''))),
  aus('a second registration is told whose the LFDI is', 'csip.aus.duplicate', http((a, args) => (a.status === 403 && is(args, 'POST', /\/edev$/) ? { headers: { ...a.headers, location: '/edev/2' } } : undefined))),
  aus('a second registration is taken for the first', 'csip.aus.duplicate', status(409, 204)),
  aus('the aggregator comes last', 'csip.aus.aggregator', text('GET', /\/edev$/, (t) => members(t, 'EndDevice', (all) => all.toReversed()))),
  aus('the lists of 1.3 are not announced', 'csip.aus13.well-known', http((a, args) => (path(args).includes('well-known') ? { status: 404, text: '' } : undefined))),
  aus('a storage target loses its sign', 'csip.aus13.storage', text('GET', /\/derc\//, (t) => t.replace('>-1500<', '>1500<'))),
  aus('poll rates are not told', 'csip.aus.poll-rates', text('GET', /\/derp$/, (t) => t.replace(/ pollRate="\d+"/, ''))),
  aus('the maker’s number is hexadecimal', 'csip.aus.mrid', text('GET', /\/derp$/, (t) => t.replace(/(<mRID>[0-9A-F]{24})[0-9A-F]{8}</g, '$100006F8F<'))),

  est('the chain comes with the leaf', 'est.enroll', http((a, args) => (path(args).endsWith('simpleenroll') && a.status === 200 ? { text: 'AAAA' } : undefined))),
  est('a broken request is a fault of the server', 'est.garbage', status(400, 500)),
]
