// A receiver of webhooks on this machine, real HTTP: it answers as told and keeps what came.
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'

export async function receiver() {
  const got = [], how = { status: 204, answer: '' }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (c) => { body += c }).on('end', () => {
      got.push({ headers: request.headers, body, event: JSON.parse(body) })
      response.writeHead(how.status).end(how.answer)
    })
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return { got, how, url: `http://127.0.0.1:${server.address().port}/in`, close: () => { server.closeAllConnections(); server.close() } }
}

/** Which of these secrets signed a request. */
export const signers = ({ headers, body }, secrets) => {
  const [t, ...given] = headers['loadstone-signature'].split(',')
  return secrets.filter((s) => given.includes(`v1=${createHmac('sha256', s).update(`${t.slice(2)}.${body}`).digest('hex')}`))
}
