// A plain Node server under `observe()`: its requests are recorded, the one whose code blocks is named, and so are those that
// waited. frameworks.long.ts has the frameworks.
import { connect } from 'node:net'
import t from 'tap'
import { Client, fetch } from 'undici'
import type { EventOf, LoopEvent } from '../../src/events/schema.ts'
import { originStore } from '../../src/observe/current-request.ts'
import { observe, withName } from '../../src/observe/index.ts'
import { eventually } from '../support/eventually.ts'
import { figure, json, start, subscribe } from './support.ts'

type Unblocked = EventOf<'loop.unblocked'>

t.test('a server without a framework', async (t) => {
  const program = start(t, 'test/observe/programs/framework.ts', {}, { args: ['plain'] })
  t.ok(await eventually(() => program.log().includes('observer')), program.log())
  const [, app, observer] = /app (\S+) observer (\S+)/.exec(program.log())! as unknown as [string, string, string]
  const { messages, socket, closed } = await subscribe(observer)
  const events = (): LoopEvent[] => messages.filter((event): event is LoopEvent => 'loop' in event)
  const ended = (url: string): EventOf<'request.finished'> | undefined => events().find((event): event is EventOf<'request.finished'> => event.type === 'request.finished' && event.url === url)
  const stalls = (): Unblocked[] => events().filter((event): event is Unblocked => event.type === 'loop.unblocked')

  await t.test('has each request recorded, once, with its end', async (t) => {
    for (const status of [200, 404, 500]) await (await fetch(`${app}/status?${status}`)).text()
    const { port } = new URL(app)
    const client = connect(Number(port), '127.0.0.1', () => client.write('GET /silent HTTP/1.1\r\nhost: localhost\r\n\r\n'))
    t.ok(await eventually(() => events().some((event) => event.type === 'request.started' && event.url === '/silent')))
    t.equal((await json<{ loops: { requests: number }[] }>(`${observer}/loops`)).loops[0]!.requests, 1, 'it is under way')
    client.destroy()
    t.ok(await eventually(() => ended('/silent') !== undefined))
    t.match(['/status?200', '/status?404', '/status?500', '/silent'].map(ended), [
      { status: 200, outcome: 'returned', seconds: Number }, { status: 404, outcome: 'returned' }, { status: 500, outcome: 'raised' }, { outcome: 'disconnected' },
    ])
    const begun = events().filter((event) => event.type === 'request.started')
    t.same(begun.map(({ request }) => request), [1, 2, 3, 4])
    t.equal(await figure(observer, 'loopscope_requests_active'), 0)
    t.equal(await figure(observer, 'loopscope_requests_total\\{answer="disconnected"\\}'), 1)
  })

  await t.test('answers an upgrade as it did, for it has no listener for that', async (t) => {
    const { port } = new URL(app)
    const answer = await new Promise<string>((resolve) => {
      const client = connect(Number(port), '127.0.0.1', () => client.write('GET /status?204 HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: chat\r\n\r\n'))
      client.once('data', (data) => {
        client.destroy()
        resolve(String(data))
      })
    })
    t.match(answer, /^HTTP\/1\.1 204 /)
  })

  for (const by of ['handler', 'wait', 'timer', 'microtask', 'body']) {
    await t.test(`has the request named that blocks, by ${by}, and not one beside it`, async (t) => {
      const before = stalls().length
      const method = by === 'body' ? 'POST' : 'GET'
      const options = { method, ...(by === 'body' ? { body: 'x'.repeat(100_000) } : {}) }
      await Promise.all([fetch(`${app}/innocent`), fetch(`${app}/guilty?by=${by}`, options), fetch(`${app}/innocent`)].map(async (answer) => (await answer).text()))
      t.ok(await eventually(() => stalls().length > before))
      const guilty = events().find((event) => event.type === 'request.started' && event.url === `/guilty?by=${by}`)
      t.match(stalls().slice(before), [{ name: `${method} /guilty?by=${by} #${guilty!.request}`, request: guilty!.request, stack: Array }])
    })
  }

  await t.test('has those named that waited: at most as many as there are clients, and not the one that blocked', async (t) => {
    const clients = Array.from({ length: 10 }, () => new Client(app, { pipelining: 1 }))
    let asking = true
    const asked = clients.map(async (client) => {
      while (asking) await (await client.request({ method: 'GET', path: '/status?200' })).body.text()
    })
    const before = stalls().length
    // On a busy machine the clients may all be asleep while it blocks.
    t.ok(await eventually(async () => {
      await (await fetch(`${app}/guilty?by=handler&victims`)).text()
      return stalls().slice(before).some(({ victims }) => victims.length > 0)
    }, 30))
    asking = false
    await Promise.all(asked)
    await Promise.all(clients.map((client) => client.close()))
    const { victims, seconds, request, lost } = stalls().slice(before).find((stall) => stall.victims.length > 0)!
    t.ok(victims.length <= clients.length, `${victims.length} waited`)
    t.same(victims.filter((victim) => victim.request === undefined || victim.request === request || victim.seconds > seconds), [])
    t.ok(lost <= seconds * clients.length, `${lost} s of at most ${seconds * clients.length}`)
    t.match(victims[0], { name: /^GET \/status\?200 #\d+$/ })
  })

  await t.test('ends by itself when it is closed', async (t) => {
    program.child.kill('SIGTERM')
    t.equal(await program.ended, 0, program.log())
    await closed
    socket.close()
  })
})

t.test('the tasks of a Fastify plugin without an observer belong to the requests, which are recorded once', async (t) => {
  const program = start(t, 'test/observe/programs/framework.ts', {}, { args: ['coroutines'] })
  t.ok(await eventually(() => program.log().includes('observer')), program.log())
  const [, app, observer] = /app (\S+) observer (\S+)/.exec(program.log())! as unknown as [string, string, string]
  const { messages, socket } = await subscribe(observer)
  t.equal(await (await fetch(`${app}/a`)).text(), 'done')
  t.ok(await eventually(() => messages.some(({ type }) => type === 'request.finished')))
  socket.close()
  const of = (wanted: string): LoopEvent[] => messages.filter((event): event is LoopEvent => event.type === wanted)
  t.match(of('request.started'), [{ url: '/a', request: 1 }])
  t.match(of('request.finished'), [{ url: '/a', request: 1, status: 200 }])
  t.match(of('task.created'), [{ name: 'GET /a #1', request: 1 }, { name: 'child', request: 1 }])
})

t.test('code is not followed any longer when the observation has ended', async (t) => {
  const observing = await observe({ port: null })
  await withName('job', async () => {
    t.match(originStore().getStore(), { id: 0, name: 'job' })
    await observing.close()
    t.equal(originStore().getStore(), undefined)
  })
})

t.test('a name is a text, and code that is not observed is only called', async (t) => {
  t.equal(withName('job', () => 7), 7)
  t.throws(() => withName('', () => 7), { name: 'RangeError', message: 'withName: the name must be a text of 1 to 200 characters, got one of 0' })
  t.throws(() => withName(7 as never, () => 7), { name: 'RangeError', message: /got 7$/ })
})
