// `loopscope run`, `loopscope view` and loopscope/register, with real programs: what is watched behaves as it does unwatched.
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { fetch } from 'undici'
import type { EventOf, StreamEvent } from '../../src/events/schema.ts'
import { eventually } from '../support/eventually.ts'
import { ROOT } from '../support/server-process.ts'
import { found, loopscope, messagesOf, program, REGISTER, startNode, strangeFolder, viewOf, type Ended } from './support.ts'

interface Stall {
  name: string
  seconds: number
  stack?: { function: string; file: string; line: number }[]
}

const stallsAt = async (url: string): Promise<Stall[]> => ((await (await fetch(`${url}/stalls`)).json()) as { stalls: Stall[] }).stalls
const isUnblocked = (event: StreamEvent): event is EventOf<'loop.unblocked'> => event.type === 'loop.unblocked'
/** The name of a method has its object in front. */
const blames = ({ stack }: { stack?: { function: string }[] | undefined }, name: string): boolean => stack?.[0]?.function.split('.').at(-1) === name
const errors = ({ err }: Ended): string[] => err.split('\n').filter((line) => line !== '')
const WATCHED = /^loopscope: process \d+ is observed at http:\/\/127\.0\.0\.1:\d+(: port \d+ is taken)?$/
const register = pathToFileURL(REGISTER).href
/** The programs that it makes find this project's packages. */
const inside = (t: { testdir(): string }): string => t.testdir()

t.test('run gives the program its arguments, and has its output and its exit code', async (t) => {
  const ended = await loopscope(t, ['run', '--port', '0', program('plain.mjs'), '--port', '9', '--', '-x']).ended
  t.match(ended, { code: 7, signal: null, out: '["--port","9","--","-x"]\n' })
  t.same(errors(ended).filter((line) => !WATCHED.test(line)), [])
  const command = await loopscope(t, ['run', '--port', '0', '--', process.execPath, '--no-warnings', program('plain.mjs'), 'x']).ended
  t.match(command, { code: 7, out: '["x"]\n' })
})

t.test('signals reach the program, once, and what ends it ends run', async (t) => {
  const handled = loopscope(t, ['run', '--port', '0', program('signals.mjs')])
  await found(handled.out, /ready/)
  for (const signal of ['SIGINT', 'SIGUSR2', 'SIGTERM'] as const) {
    handled.child.kill(signal)
    await found(handled.out, new RegExp(signal))
  }
  t.match(await handled.ended, { code: 4, out: 'ready\nSIGINT\nSIGUSR2\nSIGTERM\n' })

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const unhandled = loopscope(t, ['run', '--port', '0', program('waiting.mjs')])
    await found(unhandled.out, /ready/)
    unhandled.child.kill(signal)
    t.match(await unhandled.ended, { code: null, signal }, signal)
  }

  const killed = loopscope(t, ['run', '--port', '0', program('waiting.mjs')])
  const [, pid] = await found(killed.err, /process (\d+) is observed/)
  process.kill(Number(pid), 'SIGKILL')
  t.match(await killed.ended, { code: null, signal: 'SIGKILL' })
})

t.test('a server is watched with its lines; --on-port gets its port; the recording shows the same afterwards', async (t) => {
  const file = join(strangeFolder(t), 'recording.ndjson')
  const running = loopscope(t, ['run', '--port', '0', '--output', file, '--on-port', 'echo "it listens on $PORT with:$NODE_OPTIONS"', program('server.mjs')])
  const [, port] = await found(running.out, /port (\d+)\n/)
  const view = await viewOf(running)
  await found(running.err, new RegExp(`^it listens on ${port} with:$`, 'm'))
  const blamed = (stalls: Stall[]): Stall | undefined => stalls.find((stall) => blames(stall, 'blockingHandler'))
  // A machine that takes the processor away for a while is an excuse.
  t.ok(await eventually(async () => {
    await (await fetch(`http://127.0.0.1:${port}/`)).text()
    return blamed(await stallsAt(view)) !== undefined
  }, 100))
  t.match(blamed(await stallsAt(view)), { seconds: Number, stack: [{ file: /server\.mjs$/, line: 6 }] })
  await fetch(`http://127.0.0.1:${port}/end`).catch(() => {})
  t.match(await running.ended, { code: 3, out: `port ${port}\n` })

  const messages = messagesOf(file)
  t.equal(messages[0]?.type, 'stream.hello')
  t.ok(messages.some((event) => isUnblocked(event) && blames(event, 'blockingHandler')))
  const shown = loopscope(t, ['view', file])
  const [, url] = await found(shown.out, /the recording .* is at (http:\S+)\n/)
  t.match(blamed(await stallsAt(url!)), { stack: [{ file: /server\.mjs$/, line: 6 }] })
  t.match(await (await fetch(`${url}/`)).text(), /<title>/)
  const listed = (await (await fetch(`${url}/loops`, { headers: { accept: 'application/json' } })).json()) as { loops: object[] }
  t.match(listed.loops, [{ loop: 'main', state: 'closed', observer: null }])
  shown.child.kill('SIGINT')
  t.match(await shown.ended, { code: 0, err: '' })
})

t.test('a start that blocks the thread before the observer is ready is reported', async (t) => {
  const file = join(strangeFolder(t), 'recording.ndjson')
  const ended = await loopscope(t, ['run', '--port', '0', '--output', file, program('slow-start.mjs')]).ended
  t.match(ended, { code: 0, out: 'loaded\n' })
  t.ok(messagesOf(file).some((event) => isUnblocked(event) && event.seconds >= 0.1), JSON.stringify(messagesOf(file)))
})

t.test('a recording of a program that was killed while it was blocked says what blocked it', async (t) => {
  const file = join(strangeFolder(t), 'recording.ndjson')
  const running = startNode(t, ['--import', register, program('blocked.mjs')], { env: { LOOPSCOPE_PORT: '0', LOOPSCOPE_OUTPUT: file } })
  const isBlamed = (event: StreamEvent): boolean => event.type === 'loop.blocked' && blames(event, 'blockForever')
  t.ok(await eventually(() => {
    try {
      return messagesOf(file).some(isBlamed)
    } catch {
      return false
    }
  }))
  running.child.kill('SIGTERM')
  t.match(await running.ended, { signal: 'SIGTERM' })
  t.ok(messagesOf(file).some(isBlamed))
})

t.test('processes that a watched one starts record to files of their own, a bounded number, and open nothing', async (t) => {
  const folder = strangeFolder(t)
  mkdirSync(join(folder, 'elsewhere'))
  // What opens a browser on this system, and writes down what it was asked to open.
  writeFileSync(join(folder, 'xdg-open'), `#!/bin/sh\necho "$1" >> ${join(folder, 'opened')}\n`)
  chmodSync(join(folder, 'xdg-open'), 0o755)
  writeFileSync(join(folder, 'parent.mjs'), `import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
const child = () => spawnSync(process.execPath, ['${program('slow-start.mjs')}'], { cwd: 'elsewhere', stdio: 'inherit' })
child()
const { status } = child()
while (!existsSync('opened')) await new Promise((resolve) => setTimeout(resolve, 20))
process.exit(status + 5)
`)
  for (let pid = 1; pid < 32; pid++) writeFileSync(join(folder, `all.${pid}.ndjson`), '')
  const env = { PATH: [folder, process.env['PATH']].join(delimiter) }
  const ended = await loopscope(t, ['run', '--port', '0', '--open', '--output', 'all.ndjson', 'parent.mjs'], { cwd: folder, env }).ended
  t.match(ended, { code: 5, out: 'loaded\nloaded\n', err: /not recorded: there are 32 such recordings in / })
  const recordings = readdirSync(folder).filter((name) => name.endsWith('.ndjson') && statSync(join(folder, name)).size > 0).sort()
  t.match(recordings, [/^all\.\d+\.ndjson$/, /^all\.ndjson$/])
  t.ok(messagesOf(join(folder, recordings[0]!)).some(isUnblocked))
  t.match(readFileSync(join(folder, 'opened'), 'utf8'), /^http:\/\/127\.0\.0\.1:\d+\n$/, 'one view was opened')
})

t.test('a program that asks for an observer itself gets the one that exists', async (t) => {
  const folder = inside(t)
  writeFileSync(join(folder, 'observes.mjs'), `import { observe } from '${ROOT}dist/src/observe/index.js'
import { print, run, sleep } from '${ROOT}dist/src/index.js'
const { url, close } = await observe({ port: 1 })
await run((function* main() { yield* sleep(0.01); print('ran') })())
const { can } = JSON.parse((await (await fetch(url + '/events')).body.getReader().read().then(({ value }) => new TextDecoder().decode(value))).split('data: ')[1].split('\\n')[0])
console.log(can.join(), url)
await close()
process.exit(0)
`)
  const ended = await startNode(t, ['--import', register, join(folder, 'observes.mjs')], { env: { LOOPSCOPE_PORT: '0' } }).ended
  t.match(ended, { code: 0, out: /^ran\ntasks,requests http:\S+\n$/ })
  t.ok(ended.err.includes(ended.out.split(' ').at(-1)!.trim()), 'at the address that was said')
  t.equal(errors(ended).length, 1)
})

t.test('the Fastify plugin uses the observer that exists, and reports its requests there', async (t) => {
  const folder = inside(t)
  writeFileSync(join(folder, 'app.mjs'), `import Fastify from '${ROOT}node_modules/fastify/fastify.js'
import loopscope from '${ROOT}dist/src/fastify/index.js'
import { sleep } from '${ROOT}dist/src/index.js'
const app = Fastify()
await app.register(loopscope, { observer: { port: 1 } })
app.get('/wait', function* () { yield* sleep(0.01); return 'waited' })
const url = await app.listen({ port: 0, host: '127.0.0.1' })
console.log(await (await fetch(url + '/wait')).text())
await app.close()
`)
  const file = join(strangeFolder(t), 'recording.ndjson')
  const ended = await startNode(t, ['--import', register, join(folder, 'app.mjs')], { env: { LOOPSCOPE_PORT: '0', LOOPSCOPE_OUTPUT: file } }).ended
  t.match(ended, { code: 0, out: 'waited\n' }, ended.err)
  t.ok(messagesOf(file).some((event) => event.type === 'request.finished' && event.url === '/wait' && event.status === 200))
})

t.test('TypeScript runs with the program\'s own tsx, or by Node itself, or one sentence says what to do', async (t) => {
  t.match(await loopscope(t, ['run', '--port', '0', program('typed.ts')]).ended, { code: 0, out: '42\n' }, 'this project has tsx')
  const folder = strangeFolder(t)
  writeFileSync(join(folder, 'typed.ts'), 'const answer: number = 42\nconsole.log(answer)\n')
  const alone = await loopscope(t, ['run', '--port', '0', 'typed.ts'], { cwd: folder }).ended
  if ((process.features as { typescript?: unknown }).typescript) t.match(alone, { code: 0, out: '42\n' })
  else t.match(alone, { code: 2, out: '', err: /^loopscope run: this Node \(v\S+\) does not load typed\.ts: install tsx .*\n.*\n$/ })
})

t.test('a wrong option is said, and no program runs; a wrong variable is said, and the program runs unwatched', async (t) => {
  const wrong: [string[], RegExp][] = [
    [['run'], /which program\?/],
    [['run', '--prot', '9', program('plain.mjs')], /no option --prot: is --port meant\?/],
    [['run', '--port', '99999', program('plain.mjs')], /--port is a whole number from 0 to 65535, not "99999"/],
    [['run', 'nowhere.mjs'], /no file nowhere\.mjs\. To run a command: loopscope run -- nowhere\.mjs/],
    [['view'], /was given 0 files/],
    [['view', 'nowhere.ndjson'], /no file nowhere\.ndjson/],
    [['view', program('plain.mjs')], /plain\.mjs is no recording/],
  ]
  for (const [args, message] of wrong) {
    const ended = await loopscope(t, args).ended
    t.match(ended, { code: 2, out: '', err: message }, args.join(' '))
    t.equal(errors(ended).length, 2)
  }
  t.match(await loopscope(t, ['run', '--', 'no-such-command']).ended, { code: 1, err: /no-such-command cannot be started/ })
  for (const [env, message] of [
    [{ LOOPSCOPE_PORT: 'x' }, /^loopscope: process \d+ is not watched: LOOPSCOPE_PORT is a whole number from 0 to 65535, not "x"\n$/],
    [{ LOOPSCOPE_POTR: '1' }, /^loopscope: process \d+ is not watched: there is no variable LOOPSCOPE_POTR: they are LOOPSCOPE_PORT, .*\n$/],
  ] as const) {
    t.match(await startNode(t, ['--import', register, program('plain.mjs')], { env }).ended, { code: 7, out: '[]\n', err: message })
  }
})
