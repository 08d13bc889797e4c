import { execFileSync, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createIntermediate, createSerca, indefinite, issueClient, issueDevice, serialFrom } from '#certs/authority.js'
import { operations } from '#certs/est.js'
import { isPin, lfdiOf, sfdiOf } from '#certs/lfdi.js'
import { checkDeviceCertificate } from '#certs/profile/device.js'
import { trustOf } from '#certs/profile/trust.js'
import { certificateDocument, Kind } from '#certs/record.js'
import { authorityKeyIdentifier, policies, readCertificate, subjectKeyIdentifier } from '#certs/x509/certificate.js'
import { hardwareModuleNameExtension, hostNamesExtension } from '#certs/x509/extensions.js'
import { library } from '#certs/x509/issue.js'
import { Oid } from '#certs/x509/oid.js'
import { certificatePem } from '#certs/x509/pem.js'
import { certificatesOf } from '#certs/x509/pkcs7.js'
import { makeRequest } from '#certs/x509/request.js'
import { keyPem, keySigner, newEcKey, spkiOf } from '#certs/x509/signer.js'
import { estUnderTest, start, pen, est, hasOpenssl, hasCurl, leafOf, request } from '#certs/test-est.js'
import type { Ask } from '#certs/test-est.js'

const under = await estUnderTest(), { clock, ids, dir, db, registered, folder, registry, vendors, enrolment, port, ask, secretOf, vendor1, certificates, replaceMica } = under
t.teardown(() => under.close())

t.test('SEP-221, SEP-222 cacerts gives the whole chain in one line', async (t) => {
  const answer = await ask({ path: `${est}/cacerts` })
  t.equal(answer.status, 200)
  t.equal(answer.headers['content-type'], 'application/pkcs7-mime; smime-type=certs-only')
  t.equal(answer.headers['content-transfer-encoding'], 'base64')
  t.notMatch(answer.body, /[\r\n]/)
  const der = Buffer.from(answer.body, 'base64'), chain = certificatesOf(der).map((c) => new X509Certificate(c))
  t.equal(chain.length, 2)
  t.ok(chain.some((c) => c.subject === c.issuer), 'the root is in it')
  const { X509Certificates } = await library()
  t.equal(new X509Certificates(der).length, 2, 'another reader agrees')
  if (hasOpenssl) t.match(execFileSync('openssl', ['pkcs7', '-inform', 'DER', '-print_certs', '-noout'], { input: der, encoding: 'utf8' }), /IEEE 2030.5 MICA/)
  t.equal((await ask({ path: `${est}/vendor-1/cacerts` })).body, answer.body)
  t.equal((await ask({ path: `${est}/nobody/cacerts` })).status, 404)
})

t.test('SEP-228 csrattrs', async (t) => {
  const answer = await ask({ path: `${est}/csrattrs` })
  t.equal(answer.headers['content-type'], 'application/csrattrs')
  if (hasOpenssl) t.match(execFileSync('openssl', ['asn1parse', '-inform', 'DER'], { input: Buffer.from(answer.body, 'base64'), encoding: 'utf8' }), /id-ecPublicKey[^]*prime256v1[^]*ecdsa-with-SHA256[^]*Extension Request[^]*Subject Alternative Name/)
})

t.test('SEP-223, SEP-225, SEP-231 a one-time secret enrols a device', async (t) => {
  const user = secretOf(0), { body, key, csr } = await request(user.hwSerialNum)
  const answer = await ask({ path: `${est}/simpleenroll`, body, user })
  t.equal(answer.status, 200, answer.body)
  t.notMatch(answer.body, /[\r\n]/)
  const all = certificatesOf(Buffer.from(answer.body, 'base64'))
  t.equal(all.length, 1, 'the leaf alone')
  const der = all[0]!, view = readCertificate(der)
  const verdict = checkDeviceCertificate(der, { profile: 'csip', trust: trustOf(...folder.csip.trust), nowMs: clock.nowMs() })
  t.match(verdict, { ok: true, hwSerialNum: user.hwSerialNum, policies: ['1.3.6.1.4.1.40732.1.1'] })
  t.equal(view.notAfterMs, indefinite)
  t.equal(view.serial.length, 32)
  t.ok(view.key.spki.equals(spkiOf(key)))
  const told = registered.at(-1)!
  t.match(told, { lfdi: lfdiOf(der), sfdi: sfdiOf(lfdiOf(der)), vendor: 'vendor-1', hwSerialNum: user.hwSerialNum, replaces: null })
  t.ok(isPin(told.pin))
  t.match(await registry.byLfdi(lfdiOf(der)), { state: 'valid', serial: view.serial, requester: `secret:${user.hwSerialNum}` })
  t.equal((await registry.bySerial(view.serial))?.lfdi, lfdiOf(der))

  const again = await ask({ path: `${est}/simpleenroll`, body: csr, user })
  t.ok(leafOf(again).equals(der), 'SEP-226 the same key gets the same certificate; a DER body is read too')
  const wrapped = body.replaceAll(/(.{64})/g, '$1\r\n')
  t.ok(leafOf(await ask({ path: `${est}/simpleenroll`, body: wrapped, user })).equals(der), 'SEP-222 white space is ignored')
  const other = await request(user.hwSerialNum)
  const refused = await ask({ path: `${est}/simpleenroll`, body: other.body, user })
  t.equal(refused.status, 401, 'SEC-024 a used secret enrols no other key')
  t.equal(refused.headers['www-authenticate'], 'Basic realm="est"')
  t.match(await ask({ path: `${est}/simpleenroll`, body: other.body, as: vendor1() }), { status: 409 }, 'SEP-224 the serial is unique per vendor')
})

t.test('SEC-024 secrets: wrong, of another serial, expired', async (t) => {
  const mine = secretOf(1), { body } = await request(mine.hwSerialNum), before = await certificates()
  const cases: Ask['user'][] = [{ hwSerialNum: mine.hwSerialNum, secret: secretOf(2).secret }, { hwSerialNum: secretOf(2).hwSerialNum, secret: mine.secret }, { hwSerialNum: mine.hwSerialNum, secret: 'x' }, { hwSerialNum: '', secret: '' }, undefined]
  for (const user of cases) {
    const answer = await ask({ path: `${est}/simpleenroll`, body, ...(user ? { user } : {}) })
    t.equal(answer.status, 401)
    t.equal(answer.headers['www-authenticate'], 'Basic realm="est"')
  }
  t.equal((await ask({ path: `${est}/simpleenroll`, body: (await request('OTHER-1')).body, user: mine })).status, 400, 'SEC-020 a CSR for another serial')
  t.equal((await ask({ path: `${est}/simpleenroll`, body: (await request(mine.hwSerialNum, newEcKey(), '1.3.6.1.4.1.99999.1')).body, user: mine })).status, 400, 'a hwType of another vendor')
  const [brief] = await vendors.addSecrets('vendor-1', ['BRIEF-1'], 1000)
  await clock.advance(1000)
  t.equal((await ask({ path: `${est}/simpleenroll`, body: (await request('BRIEF-1')).body, user: brief! })).status, 401, 'expired')
  t.equal(await certificates(), before)
  t.equal((await ask({ path: `${est}/simpleenroll`, body, user: mine })).status, 200, 'a refused request did not use up the secret')
  const stored = JSON.stringify(await db.stores.documents.list(db.tenant, { kind: Kind.secret }))
  t.notOk(stored.includes(mine.secret), 'SEC-026 the secret is not kept')
})

t.test('SEP-212, SEP-213 after a MICA was replaced the new one signs and is given out, also for what the blocked one signed or was about to', async (t) => {
  const [user] = await vendors.addSecrets('vendor-1', ['REPLACED-1'], 1_000_000), { body } = await request('REPLACED-1'), enrol = async (): Promise<Buffer> => leafOf(await ask({ path: `${est}/simpleenroll`, body, user: user! }))
  const before = folder.csip.mica, keyOf = (mica: typeof before): string => subjectKeyIdentifier(readCertificate(mica.certificate))!, signer = (der: Buffer): string | undefined => authorityKeyIdentifier(readCertificate(der))
  const plan = (name: string) => ({ subject: [{ CN: [name] }], serial: serialFrom(ids.hex(16)), validity: { fromMs: start - 1000, toMs: indefinite } })
  const old = await enrol(), serca = await createSerca(plan('SERCA 2'), keySigner(newEcKey())), after = await createIntermediate('MICA', serca, plan('MICA 2'), keySigner(newEcKey()))
  t.equal(signer(old), keyOf(before))
  replaceMica(after)
  t.teardown(() => { replaceMica(before) })
  t.ok((await enrol()).equals(old), 'what the old one signed still holds')
  const given = certificatesOf(Buffer.from((await ask({ path: `${est}/cacerts` })).body, 'base64'))
  t.ok(given.some((c) => c.equals(after.certificate)) && !given.some((c) => c.equals(before.certificate)), 'cacerts gives out the new one')
  await registry.block({ id: keyOf(before), what: 'authority', reason: 'replaced', by: 'alice' })
  t.teardown(() => registry.unblock(keyOf(before)))
  const fresh = await enrol()
  t.equal(signer(fresh), keyOf(after), 'the same request after the block')

  // a process that died between writing down what is to be signed and signing it
  const record = (await registry.byLfdi(lfdiOf(fresh)))!, tbs = readCertificate(old).tbs
  await db.stores.documents.insertMany([certificateDocument(db.tenant, { ...record, state: 'signing', der: tbs.toString('base64'), lfdi: null, sfdi: null })], clock.nowMs(), { onConflict: 'replace' })
  const once = await enrol()
  t.equal(signer(once), keyOf(after))
  t.ok(new X509Certificate(once).verify(new X509Certificate(after.certificate).publicKey), 'and its signature is by the key that it names')
})

t.test('SEP-227, SEP-233, SEP-194, SEC-022 simplereenroll', async (t) => {
  const user = secretOf(6), first = await request(user.hwSerialNum)
  const old = leafOf(await ask({ path: `${est}/simpleenroll`, body: first.body, user })), as = { cert: certificatePem(old), key: keyPem(first.key) }
  const next = await request(user.hwSerialNum)
  t.equal((await ask({ path: `${est}/simplereenroll`, body: next.body })).status, 401)
  t.equal((await ask({ path: `${est}/simplereenroll`, body: next.body, user: secretOf(7) })).status, 403, 'a secret renews nothing')
  t.equal((await ask({ path: `${est}/simplereenroll`, body: next.body, as: vendor1() })).status, 403)
  t.equal((await ask({ path: `${est}/simplereenroll`, body: (await request('OTHER-2')).body, as })).status, 400, 'another subjectAltName')
  const named = await makeRequest(newEcKey(), { subject: [{ oid: Oid.commonName, text: 'x' }], extensions: [hardwareModuleNameExtension(`1.3.6.1.4.1.${pen}.1`, Buffer.from(user.hwSerialNum))] })
  t.equal((await ask({ path: `${est}/simplereenroll`, body: named, as })).status, 400, 'another Subject')
  t.equal((await ask({ path: `${est}/simplereenroll`, body: await makeRequest(newEcKey(), { extensions: [hostNamesExtension(['x.org'])] }), as })).status, 400)

  const answer = await ask({ path: `${est}/simplereenroll`, body: next.body, as })
  t.equal(answer.status, 200, answer.body)
  const fresh = leafOf(answer)
  t.match(registered.at(-1), { lfdi: lfdiOf(fresh), replaces: lfdiOf(old) }, 'old and new LFDI are linked')
  t.equal(registered.at(-1)!.pin, (await registry.byLfdi(lfdiOf(old)))!.pin, 'the PIN stays')
  t.ok(leafOf(await ask({ path: `${est}/simplereenroll`, body: next.body, as })).equals(fresh), 'a lost answer can be asked for again')
  t.equal((await ask({ path: `${est}/simplereenroll`, body: (await request(user.hwSerialNum)).body, as })).status, 403, 'a replaced certificate makes no third')
  t.equal((await registry.byLfdi(lfdiOf(old)))!.state, 'superseded')
  t.notOk(registry.isBlocked(lfdiOf(old)), 'the overlap')
  await clock.advance(8 * 86_400_000)
  t.ok(registry.isBlocked(lfdiOf(old)))
  t.equal((await ask({ path: `${est}/simplereenroll`, body: next.body, as })).status, 403)
  await registry.revoke(lfdiOf(fresh), 'cessationOfOperation', 'alice')
  t.match(await ask({ path: `${est}/simplereenroll`, body: (await request(user.hwSerialNum)).body, as: { cert: certificatePem(fresh), key: keyPem(next.key) } }), { status: 403, body: /SEP-213/ }, 'revoked')
})

t.test('SEP-223 (c) a device certificate of an accepted manufacturer, and others', async (t) => {
  const serial = (): string => serialFrom(ids.hex(16)), key = newEcKey(), validity = { fromMs: start - 1000, toMs: indefinite }
  const mine = await issueDevice(folder.csip.mica, { serial: serial(), publicKey: spkiOf(key), hwType: `1.3.6.1.4.1.${pen}.1`, hwSerialNum: 'FACTORY-1', validity })
  const enrolled = await ask({ path: `${est}/simpleenroll`, body: (await request('FACTORY-1')).body, as: { cert: certificatePem(mine), key: keyPem(key) } })
  t.equal(enrolled.status, 200, enrolled.body)
  t.equal((await ask({ path: `${est}/simpleenroll`, body: (await request('FACTORY-2')).body, as: { cert: certificatePem(mine), key: keyPem(key) } })).status, 400, 'for itself only')
  const foreign = await issueDevice(folder.csip.mica, { serial: serial(), publicKey: spkiOf(key), hwType: '1.3.6.1.4.1.999.1', hwSerialNum: 'F', validity })
  t.equal((await ask({ path: `${est}/simpleenroll`, body: (await request('F')).body, as: { cert: certificatePem(foreign), key: keyPem(key) } })).status, 403, 'a maker nobody registered')
  const strangers = await createSerca({ serial: serial(), subject: [{ CN: ['stranger'] }], validity }, keySigner(newEcKey()))
  const stranger = await issueDevice(await createIntermediate('MICA', strangers, { serial: serial(), subject: [{ CN: ['s'] }], validity }, keySigner(newEcKey())), { serial: serial(), publicKey: spkiOf(key), hwType: `1.3.6.1.4.1.${pen}.1`, hwSerialNum: 'S', validity })
  t.match(await ask({ path: `${est}/simpleenroll`, body: (await request('S')).body, as: { cert: certificatePem(stranger), key: keyPem(key) } }), { status: 401, body: /SEP-204/ }, 'a chain nobody trusts')
  const expired = await issueClient(folder.tls.authority, { serial: serial(), publicKey: spkiOf(key), commonName: 'v', organization: 'o', validity: { fromMs: start - 9000, toMs: start - 1000 } })
  await vendors.put({ name: 'late', pen: 5, fingerprints: [lfdiOf(expired)], approval: 'automatic', policy: 'factory', active: true })
  t.equal((await ask({ path: `${est}/simpleenroll`, body: (await request('L')).body, as: { cert: certificatePem(expired), key: keyPem(key) } })).status, 403, 'an expired vendor certificate')
  t.equal((await ask({ path: `${est}/late/simpleenroll`, body: (await request('V-9')).body, as: vendor1() })).status, 403, 'a credential for another label')
  t.equal((await ask({ path: `${est}/vendor-1/simpleenroll`, body: (await request('V-9')).body, as: vendor1() })).status, 200, 'SEP-220 label')
})

t.test('SEP-226 manual approval: 202, then the certificate', async (t) => {
  await vendors.put({ name: 'slow', pen: 777, fingerprints: [], approval: 'manual', policy: 'postManufacture', active: true })
  const [user] = await vendors.addSecrets('slow', ['SLOW-1']), { body } = await request('SLOW-1', newEcKey(), '1.3.6.1.4.1.777.4')
  for (let i = 0; i < 2; i++) t.match(await ask({ path: `${est}/simpleenroll`, body, user: user! }), { status: 202, headers: { 'retry-after': '300' } })
  const [waiting] = await enrolment.waiting()
  t.match(waiting, { id: 'slow/SLOW-1', request: { hwType: '1.3.6.1.4.1.777.4' } })
  await enrolment.decide('slow/SLOW-1', 'approve', 'alice')
  await t.rejects(enrolment.decide('slow/SLOW-1', 'reject', 'bob'), { kind: 'conflict' } as unknown as Error)
  const answer = await ask({ path: `${est}/simpleenroll`, body, user: user! })
  t.equal(answer.status, 200)
  t.same(policies(readCertificate(leafOf(answer))), ['1.3.6.1.4.1.40732.1.3'], 'SEP-225 issued after manufacture')
  const [second] = await vendors.addSecrets('slow', ['SLOW-2']), rejected = await request('SLOW-2', newEcKey(), '1.3.6.1.4.1.777.4')
  t.equal((await ask({ path: `${est}/simpleenroll`, body: rejected.body, user: second! })).status, 202)
  await enrolment.decide('slow/SLOW-2', 'reject', 'alice', 'unknown device')
  t.equal((await ask({ path: `${est}/simpleenroll`, body: rejected.body, user: second! })).status, 403)
})

t.test('SEC-023, SEP-229 every path × method × type without a credential issues nothing', async (t) => {
  const before = await certificates(), { csr } = await request('NOBODY')
  const names = [...Object.keys(operations), 'simpleenrol', 'SIMPLEENROLL', '__proto__', 'constructor', 'toString', 'simpleenroll%2f']
  for (const path of names.flatMap((n) => [`${est}/${n}`, `${est}/vendor-1/${n}`, `${est}/vendor-1/x/${n}`, `/${n}`])) for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD']) {
    const { status } = await ask({ path, method, ...(method === 'GET' || method === 'HEAD' ? {} : { body: csr }) })
    t.ok(status >= 400 || /cacerts|csrattrs/.test(path), `${method} ${path} ${status}`)
    t.not(status, 500)
  }
  for (const type of ['application/pkcs10', 'application/pkcs7-mime', 'multipart/form-data', 'application/json', 'text/plain', '']) for (const operation of ['simpleenroll', 'simplereenroll']) {
    t.equal((await ask({ path: `${est}/${operation}`, body: csr, type })).status, type === '' ? 415 : 401)
  }
  t.equal((await ask({ path: `${est}/serverkeygen`, body: csr })).status, 501)
  t.equal((await ask({ path: `${est}/fullcmc`, body: csr })).status, 501)
  t.match(await ask({ path: `${est}/simpleenroll` }), { status: 405, headers: { allow: 'POST' } })
  for (const authorization of ['Basic', 'Basic !!!', 'Basic Og==', 'Bearer x', `Basic ${'A'.repeat(5000)}`]) t.equal((await ask({ path: `${est}/simpleenroll`, body: csr, headers: { authorization } })).status, 401)
  t.equal(await certificates(), before)
})

t.test('SEP-220 … SEP-227 curl and openssl alone enrol and renew', { skip: !(hasOpenssl && hasCurl) && 'no openssl or curl here' }, async (t) => {
  const user = secretOf(10), at = (name: string): string => join(dir, name)
  const run = (tool: string, ...args: string[]): Promise<string> => new Promise((done, fail) => {
    const child = spawn(tool, args)
    let out = '', err = ''
    child.stdout.on('data', (d: Buffer) => { out += d.toString() })
    child.stderr.on('data', (d: Buffer) => { err += d.toString() })
    child.on('close', (code) => { if (code === 0) done(out); else fail(new Error(`${tool} ${code}: ${err}`)) })
  })
  await run('openssl', 'ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at('x.key'))
  writeFileSync(at('x.cnf'), `[req]\ndistinguished_name=dn\nreq_extensions=ext\nprompt=no\n[dn]\n[ext]\nkeyUsage=critical,digitalSignature,keyAgreement\nsubjectAltName=critical,otherName:1.3.6.1.5.5.7.8.4;SEQ:hw\n[hw]\nhwType=OID:1.3.6.1.4.1.${pen}.1\nhwSerialNum=FORMAT:ASCII,OCT:${user.hwSerialNum}\n`)
  const csr = async (key: string): Promise<void> => { await run('openssl', 'req', '-new', '-key', at(key), '-subj', '/', '-config', at('x.cnf'), '-outform', 'DER', '-out', at('x.csr')); await run('openssl', 'base64', '-in', at('x.csr'), '-out', at('x.b64')) }
  await csr('x.key')
  const url = `https://localhost:${port}${est}`, common = ['-sS', '--fail-with-body', '--cacert', at('tls-ca.pem'), '-4', '-H', 'Content-Type: application/pkcs10', '--data-binary', `@${at('x.b64')}`]
  await run('curl', ...common, '-u', `${user.hwSerialNum}:${user.secret}`, '-o', at('x.p7.b64'), `${url}/simpleenroll`)
  const unpack = async (to: string): Promise<void> => { await run('openssl', 'base64', '-d', '-A', '-in', at('x.p7.b64'), '-out', at('x.p7')); await run('openssl', 'pkcs7', '-inform', 'DER', '-in', at('x.p7'), '-print_certs', '-out', at(to)) }
  await unpack('x.pem')
  t.match(await run('openssl', 'verify', '-CAfile', at('serca.pem'), '-untrusted', at('mica.pem'), at('x.pem')), /OK/)
  await run('openssl', 'ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at('y.key'))
  await csr('y.key')
  await run('curl', ...common, '--cert', at('x.pem'), '--key', at('x.key'), '-o', at('x.p7.b64'), `${url}/simplereenroll`)
  await unpack('y.pem')
  t.not(readFileSync(at('y.pem'), 'utf8'), readFileSync(at('x.pem'), 'utf8'))
})
