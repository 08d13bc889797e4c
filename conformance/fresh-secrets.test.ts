import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { withFreshSecrets } from '#conformance/fresh-secrets.js'
import type { Target } from '#conformance/runner.js'

t.test('UX-038 an EST server with an operator’s API can be tested twice: each run has secrets of its own', async (t) => {
  const asked: { url?: string | undefined; authorization?: string | undefined; names: string[] }[] = []
  let status = 201
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (part) => { text += String(part) }).on('end', () => {
      const { hwSerialNums } = JSON.parse(text) as { hwSerialNums: string[] }
      asked.push({ url: request.url, authorization: request.headers.authorization, names: hwSerialNums })
      response.writeHead(status).end(JSON.stringify({ items: hwSerialNums.map((hwSerialNum) => ({ hwSerialNum, secret: `s-${hwSerialNum}` })) }))
    })
  })
  await new Promise<void>((ready) => { server.listen(0, '127.0.0.1', ready) })
  t.teardown(() => { server.close() })
  const values = { operator: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, operatorToken: 'word', vendor: 'vendor-1', secrets: [{ secret: 'old' }] }
  const target = (capabilities: string[], subject: Target['subject'] = 'est'): Target => ({ url: 'https://est.example', subject, profile: 'rfc7030', capabilities: new Set(capabilities), values })
  const fresh = (await withFreshSecrets(target(['operator-secrets']), 'n1')).values['secrets'] as { hwSerialNum: string; secret: string }[]
  t.equal(fresh.length, 13)
  t.match(fresh[12], { hwSerialNum: 'EST-n1-12', secret: 's-EST-n1-12' })
  t.match(asked[0], { url: '/api/v1/vendors/vendor-1/secrets', authorization: 'Bearer word' })
  t.equal((await withFreshSecrets(target([]), 'n2')).values, values, 'who has no such API keeps what the file says')
  t.equal((await withFreshSecrets(target(['operator-secrets'], 'vtn'), 'n2')).values, values)
  t.equal(asked.length, 1)
  status = 403
  await t.rejects(withFreshSecrets(target(['operator-secrets']), 'n3'), /403/)
})
