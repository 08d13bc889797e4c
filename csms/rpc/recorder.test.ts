import t from 'tap'
import { masked, Recorder } from './recorder.js'

t.test('OCPP-070 the last frames of each station, whatever the others say; newest first', async (t) => {
  const recorder = new Recorder({ frames: 3 })
  recorder.add('t quiet', 1, 'in', 'only this')
  for (let i = 0; i < 10_000; i += 1) recorder.add('t chatty', i, i % 2 === 0 ? 'in' : 'out', `frame ${i}`)
  t.same(recorder.of('t quiet', 20), [{ at: 1, direction: 'in', text: 'only this' }])
  t.same(recorder.of('t chatty', 20).map((f) => f.text), ['frame 9999', 'frame 9998', 'frame 9997'])
  t.same(recorder.of('t chatty', 1).map((f) => f.direction), ['out'])
  t.same(recorder.of('other quiet', 20), [], 'SEC-030 the same name of another tenant is another station')
  recorder.forget('t chatty')
  t.same([recorder.of('t chatty', 20), recorder.size], [[], 'only this'.length])
})

t.test('OCPP-070 bounded for one frame, one station and 10,000 stations together', async (t) => {
  const recorder = new Recorder({ total: 1 << 20 }), long = 'x'.repeat(100_000)
  recorder.add('one', 0, 'in', long)
  t.equal(recorder.of('one', 1)[0]!.text.length, 4097, 'cut, and marked so')
  for (let i = 0; i < 100; i += 1) recorder.add('one', i, 'in', long)
  t.equal(recorder.of('one', 1000).length, 20)
  let most = 0
  for (let round = 0; round < 5; round += 1) {
    for (let s = 0; s < 10_000; s += 1) {
      recorder.add(`s${s}`, round, 'out', `${round} ${'y'.repeat(30)}`)
      most = Math.max(most, recorder.size)
    }
  }
  t.ok(most <= 1 << 20, `${most} characters at most`)
  for (const s of [0, 5000, 9999]) t.match(recorder.of(`s${s}`, 1), [{ text: /^4 / }], 'the newest frame of each is there')
})

t.test('OCPP-070, 023 what is secret is masked when it is read', async (t) => {
  t.same(masked('[2,"1","Authorize",{"idToken":{"idToken":"1234","type":"KeyCode"}}]'), '[2,"1","Authorize",{"idToken":{"idToken":"***","type":"KeyCode"}}]')
  t.notMatch(masked('{"attributeValue":"se\\"cret","variable":{"name":"BasicAuthPassword"}}'), /cret/)
  t.equal(masked('{"remoteLocation":"https://user:word@host/x?a=@b"}'), '{"remoteLocation":"https://***@host/x?a=@b"}')
  t.equal(masked('[2,"1","NotifyCustomerInformation",{"data":"Jane \\"D\\" Doe","seqNo":0}]'), '[2,"1","NotifyCustomerInformation",{"data":"***","seqNo":0}]', 'OCPP-223')
  t.match(masked('{"idToken":"CARD","type":"ISO14443"}'), /CARD/)
})
