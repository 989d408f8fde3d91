// Where a stall is said: in the log, to a function of the program, to a webhook.
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { observe } from '../../src/observe/index.ts'
import { lineOf } from '../../src/observe/stall-reports.ts'
import { eventually } from '../support/eventually.ts'
import { figure, start, type Program } from './support.ts'

async function run(t: Test, env: Record<string, string>): Promise<Program> {
  const program = start(t, 'test/observe/programs/reporting.ts', env)
  t.ok(await eventually(() => /^over /m.test(program.log())), program.log())
  return program
}

const matches = (program: Program, pattern: RegExp): string[] => program.log().match(new RegExp(pattern, 'gm')) ?? []

t.test('one line for each stall, that a name cannot break', async (t) => {
  const program = await run(t, {})
  const line = (name: string): RegExp => new RegExp(`^loopscope: blocked for \\d+ ms \\([a-z-]+\\) by ${name}, in block \\(test/observe/programs/reporting\\.ts:\\d+\\)$`)
  t.ok(await eventually(() => matches(program, /^loopscope: .*second job/).length === 1), program.log())
  t.equal(matches(program, line('first\\?job')).length, 1, program.log())
  t.equal(matches(program, line('second job')).length, 1)
})

t.test('no line, if it is switched off', async (t) => {
  const program = await run(t, { OPTIONS: '{ "logStalls": false }' })
  const [, url] = /^over (\S+)/m.exec(program.log())!
  t.ok((await figure(url!, 'loopscope_stall_seconds_count'))! >= 2)
  t.ok((await figure(url!, 'loopscope_stall_seconds_sum'))! > 0.2)
  t.same(matches(program, /^loopscope: /), [])
})

t.test('a function gets the line instead', async (t) => {
  const program = await run(t, { FUNCTION: 'logStalls' })
  t.ok(await eventually(() => matches(program, /^line blocked for \d+ ms \([a-z-]+\) by second job, in block/).length === 1), program.log())
  t.same(matches(program, /^loopscope: /), [])
})

t.test('a function gets the stall', async (t) => {
  const program = await run(t, { FUNCTION: 'onStall' })
  t.ok(await eventually(() => matches(program, /^stall .*second job/).length === 1), program.log())
  const [stall] = matches(program, /^stall .*first.*$/).map((line) => JSON.parse(line.slice('stall '.length)) as object)
  t.match(stall, { id: Number, name: 'first\njob', seconds: Number, victims: [], at: /^\d{4}-/, top: 'block' })
})

t.test('functions that fail are reported, and change nothing', async (t) => {
  const program = await run(t, { FUNCTION: 'failing' })
  for (const failure of [/the function onStall failed: Error: not today/, /the function logStalls failed: Error: nor tomorrow/]) {
    t.ok(await eventually(() => matches(program, failure).length >= 2), program.log())
  }
  t.equal(program.child.exitCode, null, 'it goes on')
})

t.test('a webhook', async (t) => {
  async function hook(t: Test, listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    t.teardown(() => {
      server.close()
      server.closeAllConnections()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret`
  }

  await t.test('gets each stall, one after the other', async (t) => {
    const bodies: { text: string; stall: { name: string } }[] = []
    const url = await hook(t, (request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (part) => { body += part }).on('end', () => {
        bodies.push(JSON.parse(body) as (typeof bodies)[0])
        response.end()
      })
    })
    await run(t, { OPTIONS: JSON.stringify({ webhook: url, logStalls: false }) })
    t.ok(await eventually(() => bodies.some(({ stall }) => stall.name === 'second job')))
    t.match(bodies.find(({ stall }) => stall.name.startsWith('first')), {
      text: /^main: blocked for \d+ ms \([a-z-]+\) by first\?job, in block/, loop: 'main', pid: Number, host: String, stall: { name: 'first\njob', seconds: Number, stack: Array, victims: [] },
    })
  })

  await t.test('that refuses is logged once, without its path', async (t) => {
    let asked = 0
    const url = await hook(t, (_request, response) => {
      asked++
      response.writeHead(500).end('no')
    })
    const program = await run(t, { OPTIONS: JSON.stringify({ webhook: url, logStalls: false }) })
    t.ok(await eventually(() => asked >= 2))
    const [, observer] = /^over (\S+)/m.exec(program.log())!
    t.ok(await eventually(async () => (await figure(observer!, 'loopscope_webhook_total\\{answer="failed"\\}'))! >= 2))
    t.equal(matches(program, /webhook: a stall could not be sent to http:\/\/127\.0\.0\.1:\d+: it answered 500/).length, 1)
    t.notMatch(program.log(), /secret/)
  })

  await t.test('that does not answer, or is not there, keeps nothing from going on, nor from its end', async (t) => {
    const url = await hook(t, () => {})
    const program = await run(t, { OPTIONS: JSON.stringify({ webhook: url }) })
    program.child.kill('SIGTERM')
    await program.ended
    t.equal(program.child.signalCode, 'SIGTERM')
    const gone = await run(t, { OPTIONS: JSON.stringify({ webhook: 'http://127.0.0.1:1/' }) })
    t.ok(await eventually(() => matches(gone, /could not be sent to http:\/\/127\.0\.0\.1:1: /).length === 1), gone.log())
  })
})

t.test('options with a wrong value are refused, and what is allowed is said', async (t) => {
  const refused = (options: object, message: string): Promise<unknown> => t.rejects(observe({ port: null, ...options }), { name: 'TypeError', message })
  await refused({ logStalls: 'yes' }, 'logStalls: must be true, false or a function, got yes')
  await refused({ onStall: true }, 'onStall: must be a function, got true')
  for (const webhook of ['file:///etc/passwd', 'example.org', '', 7]) await refused({ webhook }, `webhook: must be a URL that begins with http:// or https://, got ${JSON.stringify(webhook)}`)
  await (await observe({ port: null })).close()
})

t.test('the line', async (t) => {
  const stack = { function: 'report', file: 'app.mjs', line: 12, column: 3 }
  t.equal(lineOf({ seconds: 0.7021, name: 'GET /report #2', kind: 'javascript', victims: [] }, [stack]), 'blocked for 702 ms (javascript) by GET /report #2, in report (app.mjs:12)')
  t.equal(lineOf({ seconds: 1, name: 'job', victims: [] }, [{ ...stack, function: 'parse', file: '/home/me/node_modules/xml/parser.js' }, stack]),
    'blocked for 1000 ms by job, in parse (xml/parser.js:12), called by report (app.mjs:12)')
  t.equal(lineOf({ seconds: 1, name: 'job', victims: [] }, [{ ...stack, function: '<anonymous>' }]), 'blocked for 1000 ms by job, at app.mjs:12')
  t.equal(lineOf({ seconds: 2, name: 'a callback', victims: [{ request: 3, name: 'GET / #3', seconds: 1.5 }, { task: 1, name: 'A', seconds: 2 }, { task: 2, name: 'B', seconds: 1 }] }, []),
    'blocked for 2000 ms by a callback; 1 request and 2 tasks delayed by up to 2000 ms')
  t.notMatch(lineOf({ seconds: 1, name: `a\u001b[2J\r\n\u2028${'x'.repeat(1000)}`, victims: [] }, []), /[\u001b\r\n\u2028]|x{301}/)
})
