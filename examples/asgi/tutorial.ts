// The tutorial's five programs as one ASGI application. A request runs one and gets its lines as they are printed; a WebSocket
// gets each line as a message. When the client disconnects, all tasks of its program are cancelled.
import type { Application, ConnectionScope, HttpScope } from '../../src/asgi/index.ts'
import { allTasks, ContextVar, copyContext, createTask, printTo, Queue, QueueShutDown, wait, type Coroutine } from '../../src/index.ts'
import { examples, type Example } from '../catalogue.ts'
import { speed } from '../pace.ts'
import { cancelAtDisconnect } from './cancel-at-disconnect.ts'
import { bytes, field, header, respond, text } from './responses.ts'
import { router } from './router.ts'

/** Runs a program `pace` times faster than written, passes each line to `print`, and returns what to write at the end. */
export type RunProgram = (example: Example, pace: number, print: (line: string) => void) => Coroutine<string>

/** More programs cannot run now. */
export class Busy extends Error {
  override name = 'Busy'
}

/** A program whose client leaves this many lines unread is cancelled. */
const MOST_UNREAD = 1000
const TRY_AGAIN_LATER = 1013

export function tutorial(run: RunProgram = runHere()): Application {
  return router({ 'GET /': list, 'GET /examples/{n}': cancelAtDisconnect(streamed(run)), 'WS /examples/{n}': cancelAtDisconnect(messaged(run)) })
}

const list: Application = function* (scope, _receive, send) {
  const { scheme, root_path, headers } = scope as ConnectionScope
  const base = `${scheme}://${header(headers, 'host')}${root_path}/examples`
  yield* respond(send, 200, examples.map(({ number, title, lookFor }) => `${title}: ${lookFor}\n  curl -N ${base}/${number}\n`).join(''))
}

/** By HTTP: the first line begins the response, so that what fails before is answered with another status. */
function streamed(run: RunProgram): Application {
  return function* (scope, _receive, send) {
    const asked = askedFor(scope as ConnectionScope)
    if ('wrong' in asked) return yield* respond(send, asked.status, `${asked.wrong}\n`)
    let started = false
    function* start(): Coroutine<void> {
      if (!started) yield* send({ type: 'http.response.start', status: 200, headers: [field('content-type', 'text/plain; charset=utf-8'), field('cache-control', 'no-store')] })
      started = true
    }
    function* write(line: string): Coroutine<void> {
      yield* start()
      yield* send({ type: 'http.response.body', body: bytes(`${line}\n`), more_body: true })
    }
    try {
      if ((scope as HttpScope).method !== 'HEAD') yield* follow(run, asked, write)
      yield* start()
      yield* send({ type: 'http.response.body' })
    } catch (error) {
      if (!(error instanceof Busy)) throw error
      yield* respond(send, 503, `${error.message}\n`, [field('retry-after', 1)])
    }
  }
}

function messaged(run: RunProgram): Application {
  return function* (scope, receive, send) {
    const asked = askedFor(scope as ConnectionScope)
    yield* receive()
    // Before it is accepted: the client gets a 403.
    if ('wrong' in asked) return yield* send({ type: 'websocket.close' })
    yield* send({ type: 'websocket.accept' })
    try {
      yield* follow(run, asked, (line) => send({ type: 'websocket.send', text: line }))
      yield* send({ type: 'websocket.close' })
    } catch (error) {
      if (!(error instanceof Busy)) throw error
      yield* send({ type: 'websocket.close', code: TRY_AGAIN_LATER, reason: 'busy: try again in a moment' })
    }
  }
}

interface Asked {
  example: Example
  pace: number
}

interface Refused {
  status: number
  wrong: string
}

/** Which program, and how fast; or what is wrong with the request. */
function askedFor({ path_params, query_string }: ConnectionScope): Asked | Refused {
  const { n } = path_params as { n: string }
  const example = examples.find(({ number }) => String(number) === n)
  if (example === undefined) return { status: 404, wrong: `there is no example ${n}, only 1 to ${examples.length}` }
  const query = new URLSearchParams(text(query_string))
  const unknown = [...query.keys()].find((name) => name !== 'speed')
  if (unknown !== undefined) return { status: 400, wrong: `${unknown}: is not a known field here, only speed` }
  const pace = query.get('speed') ?? '1'
  if (!/^\d{1,4}(\.\d{1,6})?$/.test(pace) || Number(pace) < 0.01 || Number(pace) > 1000) return { status: 400, wrong: 'speed: must be a number from 0.01 to 1000' }
  return { example, pace: Number(pace) }
}

/** Runs a program in a task, and writes its lines, here, as the client takes them: printing does not wait. */
function* follow(run: RunProgram, { example, pace }: Asked, write: (line: string) => Coroutine<void>): Coroutine<void> {
  const lines = new Queue<string>(MOST_UNREAD)
  const program = createTask(run(example, pace, (line) => {
    if (!lines.full()) lines.putNowait(line)
    else if (program.cancelling() === 0) program.cancel('its client reads too slowly')
  }), { name: `example ${example.number}` })
  program.addDoneCallback(() => lines.shutdown())
  try {
    for (;;) yield* write(yield* lines.get())
  } catch (error) {
    if (!(error instanceof QueueShutDown)) throw error
    const end = program.cancelled() ? '(cancelled: its client reads too slowly)' : program.result()
    if (end !== '') yield* write(end)
  } finally {
    program.cancel()
  }
}

/** Programs on this loop, at most this many at the same time. */
export function runHere(most = 100): RunProgram {
  const running = new Set<object>()
  const owner = new ContextVar<object | null>('owner', { default: null })
  return function* (example, pace, print) {
    if (running.size >= most) throw new Busy(`${most} programs are running, which is the limit: try again in a moment`)
    const own = {}
    running.add(own)
    const context = copyContext()
    context.run(() => {
      owner.set(own)
      speed.set(pace)
      printTo(print)
    })
    try {
      yield* createTask(example.main(), { context, name: 'main' })
      return ''
    } finally {
      // As at the end of asyncio.run: the tasks that it leaves behind are cancelled.
      const left = [...allTasks()].filter((task) => task.getContext().get(owner) === own)
      for (const task of left) task.cancel()
      if (left.length > 0) yield* wait(left)
      running.delete(own)
    }
  }
}
