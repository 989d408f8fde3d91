// `loopscope asgi`: the command as users run it, in a process of its own.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { fetch } from 'undici'
import { eventually } from '../support/eventually.ts'

const COMMAND = join(import.meta.dirname, '../../dist/src/bin.js')

const APPS = {
  'site.mjs': `
function* app(scope, receive, send) {
  if (scope.type === 'lifespan') {
    for (;;) {
      const { type } = yield* receive()
      console.log(type)
      yield* send({ type: type + '.complete' })
      if (type === 'lifespan.shutdown') return
    }
  }
  const text = JSON.stringify({ root: scope.root_path, path: scope.path, scheme: scope.scheme })
  yield* send({ type: 'http.response.start', status: 200, headers: [] })
  yield* send({ type: 'http.response.body', body: Buffer.from(text) })
}
export { app }
export function* ill(scope, receive, send) {
  yield* receive()
  yield* send({ type: 'lifespan.startup.failed', message: 'no database' })
}
export const version = 3
`,
  'broken.mjs': 'throw new Error(\'while it was loaded\')\n',
}

interface Running {
  out: () => string
  err: () => string
  process: ChildProcess
  ended: Promise<number | null>
}

function start(t: Test, cwd: string, ...args: string[]): Running {
  // Through env, because tap adds a module to every process that it sees started, and that module listens for SIGINT.
  const program = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, COMMAND, 'asgi', ...args], { cwd })
  let [out, err] = ['', '']
  program.stdout.on('data', (chunk) => { out += String(chunk) })
  program.stderr.on('data', (chunk) => { err += String(chunk) })
  t.teardown(() => program.kill('SIGKILL'))
  return { out: () => out, err: () => err, process: program, ended: once(program, 'close').then(([code]) => code as number | null) }
}

t.test('serves until it is interrupted, and shuts the application down', async (t) => {
  const folder = t.testdir(APPS)
  const command = start(t, folder, 'site.mjs', '--port', '0', '--observer-port', '0', '--root-path', '/site')
  t.ok(await eventually(() => /live view/.test(command.out())), command.err())
  const [, url, view] = /the application is at (\S+)\nthe live view is at (\S+)/.exec(command.out())!
  t.same(await (await fetch(`${url}/page?x`)).json(), { root: '/site', path: '/site/page', scheme: 'http' })
  t.match(await (await fetch(`${view}/healthz`)).json(), { status: 'ok' }, 'the observer answers')
  command.process.kill('SIGTERM')
  t.equal(await command.ended, 0)
  t.match(command.out(), /^lifespan\.startup\n[^]*lifespan\.shutdown\n$/)
  t.equal(command.err(), '')
})

t.test('what it cannot do, it says in a line', async (t) => {
  const folder = t.testdir(APPS)
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { port } = taken.address() as AddressInfo
  const cases: [args: string[], code: number, message: RegExp][] = [
    [[], 2, /serves one application, and was given 0 files/],
    [['site.mjs', 'broken.mjs'], 2, /was given 2 files/],
    [['none.mjs'], 2, /there is no file none\.mjs/],
    [['site.mjs:admin'], 2, /site\.mjs exports no admin; it exports: app, ill, version/],
    [['site.mjs:version'], 2, /version of site\.mjs: an ASGI application is a coroutine function \(scope, receive, send\), got 3/],
    [['site.mjs', '--port', '65536'], 2, /--port is a whole number from 0 to 65535, not "65536"/],
    [['site.mjs', '--lifespan', 'yes'], 2, /--lifespan is one of auto, on, off, not "yes"/],
    [['site.mjs', '--root-path', '/site/'], 2, /--root-path begins with a slash and does not end with one/],
    [['site.mjs', '--http2'], 2, /--http2 needs --tls-cert and --tls-key/],
    [['site.mjs', '--tls-cert', 'none.pem', '--tls-key', 'none.pem'], 2, /--tls-cert none\.pem cannot be read: ENOENT/],
    [['site.mjs', '--no-observer', '--observer-port', '1'], 2, /contradict each other/],
    [['site.mjs', '--no-observer', '--port', String(port)], 1, /EADDRINUSE/],
    [['site.mjs:ill', '--no-observer', '--port', '0'], 3, /the application failed at startup: no database/],
  ]
  await Promise.all(cases.map(async ([args, code, message]) => {
    const command = start(t, folder, ...args)
    t.equal(await command.ended, code, args.join(' '))
    t.match(command.err(), message)
    t.notMatch(command.err(), /\n {4}at /, 'without a stack')
  }))
})

t.test('an error of the file itself keeps its stack', async (t) => {
  const command = start(t, t.testdir(APPS), 'broken.mjs')
  t.equal(await command.ended, 1)
  t.match(command.err(), /broken\.mjs:1[^]*Error: while it was loaded\n {4}at /)
})

t.test('a file in TypeScript runs where Node loads it, and the error names what helps where it does not', async (t) => {
  const folder = t.testdir({ 'app.ts': 'export default function* app(): Generator<never, void> { throw new Error("unused") }\n', 'package.json': '{ "type": "module" }' })
  const command = start(t, folder, 'app.ts', '--no-observer', '--port', '0')
  if (Reflect.get(process.features, 'typescript') === 'strip') {
    t.ok(await eventually(() => /the application is at/.test(command.out())), command.err())
    command.process.kill('SIGINT')
    t.equal(await command.ended, 0)
  } else {
    t.equal(await command.ended, 2)
    t.match(command.err(), /does not load app\.ts: from 22\.18 on it loads TypeScript itself; before, with tsx: NODE_OPTIONS="--import tsx" loopscope asgi app\.ts/)
  }
})
