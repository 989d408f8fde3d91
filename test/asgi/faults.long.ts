// The ASGI server under load, with clients that vanish in the middle: every call of the application sees its client go and
// ends, nothing is left, and a signal under way shuts the application down. `MINUTES=10` makes it longer than CI has time for.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Pool, request } from 'undici'
import { eventually } from '../support/eventually.ts'
import { handshake, open } from '../support/raw.ts'

const COMMAND = join(import.meta.dirname, '../../dist/src/bin.js')
const MINUTES = Number(process.env['MINUTES'] ?? 0.25)
/** How many clients vanish, in all ways, and how many of them at a time. */
const VANISHING = 1000
const AT_A_TIME = 50
/** The number of requests that fill what is kept on purpose: the history, the code. */
const TO_BE_WARM = 8000
const MORE_BYTES = 60e6

/** Counts the calls of each kind that have begun and ended, and what ended those whose client vanishes. */
const APP = `
import { allTasks, sleep } from 'loopscope'
const counts = { begun: 0, ended: 0, sendRaised: 0, disconnects: 0, websockets: 0, shutdown: 0 }
const text = (value) => Buffer.from(value)
function* reply(send, body) {
  yield* send({ type: 'http.response.start', status: 200, headers: [[text('content-length'), text(String(body.length))]] })
  yield* send({ type: 'http.response.body', body })
}
function* serve(scope, receive, send) {
  if (scope.type === 'websocket') {
    yield* receive()
    yield* send({ type: 'websocket.accept' })
    while ((yield* receive()).type !== 'websocket.disconnect');
    counts.websockets++
  } else if (scope.path === '/stream') {
    yield* send({ type: 'http.response.start', status: 200, headers: [] })
    try {
      for (;;) {
        yield* send({ type: 'http.response.body', body: Buffer.alloc(1000), more_body: true })
        yield* sleep(0.01)
      }
    } catch (error) {
      if (error.name !== 'ClientDisconnected') throw error
      counts.sendRaised++
    }
  } else if (scope.path === '/upload') {
    while ((yield* receive()).type !== 'http.disconnect');
    counts.disconnects++
  } else if (scope.path === '/counts') {
    yield* reply(send, text(JSON.stringify({ ...counts, tasks: allTasks().size, memory: process.memoryUsage.rss() })))
  } else if (scope.path === '/slow') {
    yield* sleep(1)
    yield* reply(send, text('slow'))
  } else yield* reply(send, text('hello'))
}
export default function* app(scope, receive, send) {
  if (scope.type === 'lifespan') {
    yield* receive()
    yield* send({ type: 'lifespan.startup.complete' })
    yield* receive()
    counts.shutdown++
    console.log(JSON.stringify(counts))
    yield* send({ type: 'lifespan.shutdown.complete' })
    return
  }
  counts.begun++
  try {
    yield* serve(scope, receive, send)
  } finally {
    counts.ended++
  }
}
`

interface Counts { begun: number; ended: number; sendRaised: number; disconnects: number; websockets: number; shutdown: number; tasks: number; memory: number }

/** Connects, waits until there is an answer, or only until everything is sent, and vanishes. */
function vanish(port: number, bytes: string, answered: boolean): Promise<void> {
  return new Promise((resolve) => {
    const socket = open(port, bytes)
    const leave = (): void => { socket.resetAndDestroy() }
    if (answered) socket.once('data', leave)
    else socket.once('connect', () => setTimeout(leave, 20))
    socket.once('close', () => resolve())
  })
}

t.setTimeout((MINUTES + 4) * 60_000)

t.test('clients that vanish, load, and a signal', async (t) => {
  const folder = t.testdir({ 'faults.mjs': APP.replace('\'loopscope\'', JSON.stringify(new URL('../../dist/src/index.js', import.meta.url).href)) })
  const program = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, COMMAND, 'asgi', 'faults.mjs', '--port', '0', '--observer-port', '0'], { cwd: folder })
  t.teardown(() => program.kill('SIGKILL'))
  let [out, err] = ['', '']
  program.stdout.on('data', (chunk) => { out += String(chunk) })
  program.stderr.on('data', (chunk) => { err += String(chunk) })
  t.ok(await eventually(() => /live view/.test(out)), err)
  const [, url, address] = /the application is at (http:\/\/\S+:(\d+))/.exec(out)!
  const port = Number(address)
  /** One request on a connection of its own, which is closed after it. */
  const get = async (path: string): Promise<string> => (await request(url! + path, { reset: true })).body.text()
  const counts = async (): Promise<Counts> => JSON.parse(await get('/counts')) as Counts
  const descriptors = (): number => readdirSync(`/proc/${program.pid}/fd`).length
  const files = process.platform === 'linux' ? descriptors : () => 0

  const ways = [
    { bytes: 'GET /stream HTTP/1.1\r\nHost: a\r\n\r\n', answered: true },
    { bytes: 'POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nthe first part', answered: false },
    { bytes: handshake('/'), answered: true },
  ]
  const crowd = async (clients: number): Promise<void> => {
    for (let gone = 0; gone < clients; gone += AT_A_TIME) {
      await Promise.all(Array.from({ length: Math.min(AT_A_TIME, clients - gone) }, (_, at) => vanish(port, ways[(gone + at) % ways.length]!.bytes, ways[(gone + at) % ways.length]!.answered)))
    }
  }
  const settled = (): Promise<boolean> => eventually(async () => {
    const { begun, ended } = await counts()
    return begun - ended === 1
  })

  let [answers, wrong] = [0, 0]
  /** Loads the server, over 32 connections that each wait for their answer. */
  const load = async (enough: () => boolean): Promise<void> => {
    const pool = new Pool(url!, { connections: 32, pipelining: 1 })
    await Promise.all(Array.from({ length: 32 }, async () => {
      while (!enough()) {
        const body = await pool.request({ method: 'GET', path: '/' }).then((response) => response.body.text()).catch((error: unknown) => String(error))
        if (body === 'hello') answers++
        else wrong++
      }
    }))
    await pool.close()
  }

  await Promise.all([load(() => answers + wrong >= TO_BE_WARM), crowd(200)])
  t.ok(await settled())
  const [before, filesBefore] = [await counts(), files()]
  const end = Date.now() + MINUTES * 60_000
  await Promise.all([load(() => Date.now() > end), crowd(VANISHING)])
  t.ok(await settled())
  const after = await counts()
  t.comment(`${answers} answers in ${MINUTES} minutes; ${JSON.stringify(after)}`)
  t.equal(wrong, 0, 'every other client has its answer')
  const seen = (key: 'sendRaised' | 'disconnects' | 'websockets'): number => after[key] - before[key]
  t.same([seen('sendRaised'), seen('disconnects'), seen('websockets')].reduce((sum, one) => sum + one), VANISHING, 'every call saw its client go')
  t.equal(after.tasks, before.tasks, 'no task is left')
  t.ok(after.memory < before.memory + MORE_BYTES, `${(before.memory / 1e6).toFixed(0)} MB before, ${(after.memory / 1e6).toFixed(0)} MB after`)
  t.ok(files() <= filesBefore + 5, `${filesBefore} descriptors before, ${files()} after`)

  // A signal while requests are under way: they are finished, streams are cut off, and the application is shut down.
  const slow = Array.from({ length: 10 }, () => get('/slow'))
  const streams = Array.from({ length: 10 }, () => open(port, ways[0]!.bytes))
  t.ok(await eventually(async () => (await counts()).tasks >= before.tasks + 20))
  const ended = once(program, 'close')
  program.kill('SIGTERM')
  t.same(await Promise.all(slow), Array(10).fill('slow'), 'what is short is answered')
  t.same(await ended, [0, null], 'a signal ends it')
  for (const stream of streams) stream.destroy()
  const last = JSON.parse(out.trim().split('\n').at(-1)!) as Counts
  t.match(last, { shutdown: 1 }, 'the lifespan ended after all else')
  t.equal(last.begun, last.ended, 'no call is left')
  t.equal(err.replace(/^loopscope: blocked for .*\n/gm, ''), '', 'nothing else is logged than stalls, which a busy machine has')
})
