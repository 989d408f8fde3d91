// Makes coroutine handlers work in any Fastify app: `app.register(loopscope)`, and a route's handler may be a generator
// function. Each of its requests is a task on the app's one event loop, cancelled when its client goes away.
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import '../../index.ts'
import type { Coroutine } from '../../runtime/coroutine.ts'
import type { Task } from '../../runtime/task.ts'
import { CancelledError, TimeoutError } from '../../runtime/exceptions.ts'
import { CANCELLED, FINISHED } from '../../runtime/future.ts'
import { EventLoop } from '../../runtime/loop.ts'
import type { ObserverOptions } from '../../observer/client.ts'
import { Crowd, type Member } from '../crowd.ts'
import { boundPipelining } from '../connections.ts'
import { asError } from '../thrown.ts'
import { AccountedTask, Ledger, leftAgo, serverTiming, type Account } from '../ledger.ts'

/** Hears of requests as they come and go. */
export interface RequestObserver {
  /** The request's task is created right after this. */
  requestStarted(served: Served): void
  requestFinished(served: Served, outcome: RequestOutcome): void
}

export type RequestOutcome = 'returned' | 'raised' | 'cancelled' | 'disconnected'

export interface LoopscopeOptions {
  /** The loop; by default a new one, which runs as long as the app. */
  loop?: EventLoop
  /** How many requests may be served by coroutines at the same time; beyond that a 503. Default 10,000. */
  maxRequests?: number | undefined
  /** Watch the app from a thread of its own, which serves what it sees on a port of its own; `true` takes the defaults. */
  observer?: ObserverOptions | boolean
}

export interface Loopscope {
  readonly loop: EventLoop
  readonly ledger: Ledger
  /** Requests being served. */
  readonly active: Crowd<Served>
  observer: RequestObserver | null
  /** How many requests have been served or begun. */
  readonly requests: number
  /** The number of the next request: 1, 2, 3 … */
  takeRequestId(): number
  /** Whether this handler of a route serves it by a coroutine. */
  serves(handler: unknown): boolean
}

declare module 'fastify' {
  interface FastifyInstance {
    loopscope: Loopscope
  }
  interface FastifyRequest {
    /** What serves this request, where its handler is a coroutine. */
    loopscope: Served | null
  }
}

/** A handler that is a coroutine. What it returns is sent. */
export type CoroutineHandler<Q = FastifyRequest, P = FastifyReply> = (request: Q, reply: P) => Coroutine<unknown>

const onSocket = Symbol('requests under way')
type Watched = Socket & { [onSocket]?: Set<Served> }

/** One request while it is served. */
export class Served implements Member {
  /** @internal */ place = -1
  readonly id: number
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly account: Account
  task: Task<unknown> | null = null
  /** It goes on until its client leaves, as an event stream does: nobody waits for its end. */
  endless = false
  private gone = false
  private readonly app: State

  /** @internal */
  constructor(app: State, id: number, request: FastifyRequest, reply: FastifyReply) {
    this.app = app
    this.id = id
    this.request = request
    this.reply = reply
    const left = request.headers['x-request-start']
    this.account = app.ledger.open(left === undefined ? null : leftAgo(left))
  }

  /** Where the time went until now, as the header says it. */
  serverTiming(): string {
    return serverTiming(this.account)
  }

  /** Put the headers on the reply that every response carries. */
  stamp(): void {
    this.reply.header('x-request-id', String(this.id)).header('server-timing', serverTiming(this.account))
  }

  /** @internal */
  start(handler: CoroutineHandler, path: string): void {
    const { loop, active, observer } = this.app
    const { request, reply } = this
    active.add(this)
    // Where no socket keeps the process alive (`inject`), a request under way does.
    if (active.size === 1 && !request.server.server.listening) this.app.keepAlive.ref()
    const coro = handler.call(request.server, request, reply)
    observer?.requestStarted(this)
    const task = new AccountedTask(coro, { name: `${request.method} ${path} #${this.id}` }, loop, this.account)
    this.task = task
    watch(request.raw.socket as Watched).add(this)
    task.addListener(this)
  }

  /** @internal The client has gone. */
  disconnected(): void {
    this.gone = true
    this.task?.cancel('the client went away')
  }

  /** @internal The task has ended: tell the client. */
  settled(future: unknown): void {
    const task = future as Task<unknown>
    const { reply } = this
    const { active, keepAlive } = this.app
    active.delete(this)
    if (active.size === 0) keepAlive.unref()
    const socket = this.request.raw.socket as Watched
    socket[onSocket]?.delete(this)
    let outcome: RequestOutcome = 'returned'
    let value: unknown
    let failure: Error | null = null
    if (task.state === FINISHED) value = task.value
    else {
      outcome = task.state === CANCELLED ? 'cancelled' : 'raised'
      failure = asError(translate(task.state === CANCELLED ? task.takeCancelledError() : task.value))
      // Once the task has noted its failure: somebody has seen it.
      queueMicrotask(() => task.retrieved())
    }
    if (this.gone) outcome = 'disconnected'
    else if (!reply.sent && !reply.raw.headersSent) {
      // A handler that returns its reply has sent it, or is about to.
      if (failure !== null || value !== reply) this.answer(value, failure)
    } else if (failure !== null) this.cutOff(failure)
    this.app.observer?.requestFinished(this, outcome)
  }

  private answer(value: unknown, failure: Error | null): void {
    const { reply } = this
    this.stamp()
    try {
      reply.send(failure ?? value)
    } catch (error) {
      if (!reply.sent) reply.send(error)
    }
  }

  /** It failed with half of the response on its way: all that is left is to end it so that nobody takes it for whole. */
  private cutOff(failure: Error): void {
    const { raw } = this.reply
    if (raw.writableEnded) return
    if (!(this.task?.cancelled() ?? false)) this.request.log.error({ err: failure }, 'failed after the response had begun')
    raw.destroy()
  }
}

/** The requests under way on a socket: what to cancel when it closes. One listener a connection, not one a request. */
function watch(socket: Watched): Set<Served> {
  let requests = socket[onSocket]
  if (requests === undefined) {
    const served = new Set<Served>()
    requests = served
    socket[onSocket] = served
    socket.once('close', () => {
      for (const one of served) one.disconnected()
    })
  }
  return requests
}

function translate(error: unknown): unknown {
  if (error instanceof CancelledError) {
    return Object.assign(new Error(error.message === '' ? 'the task of this request was cancelled' : `the task of this request was cancelled: ${error.message}`), { statusCode: 503 })
  }
  if (error instanceof TimeoutError) {
    return Object.assign(new Error(error.message === '' ? 'timed out' : error.message, { cause: error }), { statusCode: 504 })
  }
  return error
}

function overloaded(most: number): Error {
  return Object.assign(new Error(`${most} requests are under way, and no more are allowed at once: try again in a moment`), { statusCode: 503 })
}

interface State extends Loopscope {
  requests: number
  readonly keepAlive: NodeJS.Timeout
}

const GeneratorFunction = Object.getPrototypeOf(function* () {}) as object

/** Whether a handler is a coroutine: asked before a route has it, for there it is wrapped. */
export function isCoroutineFunction(fn: unknown): fn is CoroutineHandler {
  return typeof fn === 'function' && Object.prototype.isPrototypeOf.call(GeneratorFunction, fn)
}

async function plugin(app: FastifyInstance, options: LoopscopeOptions): Promise<void> {
  const own = options.loop === undefined
  const { maxRequests = 10_000 } = options
  const loop = options.loop ?? new EventLoop({ hold: false })
  const serving = new WeakSet()
  const state: State = {
    loop, ledger: new Ledger(loop), active: new Crowd(), observer: null, requests: 0, keepAlive: setInterval(() => {}, 2 ** 30).unref(),
    takeRequestId: () => ++state.requests, serves: (handler) => serving.has(handler as object),
  }
  app.decorate('loopscope', state)
  if (app.initialConfig.http2 !== true) boundPipelining(app.server)
  app.addHook('onClose', (_app, closed) => {
    clearInterval(state.keepAlive)
    closed()
  })
  app.decorateRequest('loopscope', null)
  app.addHook('onRoute', (route) => {
    const handler = route.handler as unknown
    if (!isCoroutineFunction(handler)) return
    // A path without parameters is its own name; any other is taken from the request.
    const fixed = /[:*(]/.test(route.url) ? null : route.url
    const serve: RouteHandlerMethod = (request, reply) => {
      if (state.active.size >= maxRequests) throw overloaded(maxRequests)
      const served = new Served(state, state.takeRequestId(), request, reply)
      request.loopscope = served
      served.start(handler, fixed ?? (request.url.split('?', 1)[0] as string))
    }
    serving.add(serve)
    route.handler = serve
  })
  if (own) {
    let ended: Promise<void> | null = null
    app.addHook('onReady', (ready) => {
      ended ??= loop.runForever()
      ended.catch((error: unknown) => app.log.fatal({ err: error }, 'the event loop failed'))
      ready()
    })
    app.addHook('onClose', async () => {
      if (ended !== null) {
        await cancelAll(loop)
        loop.stop()
        await ended
      }
      loop.close()
    })
  }
  if (options.observer !== undefined && options.observer !== false) {
    const { observeApp } = await import('../observe.ts')
    observeApp(app, state, options.observer === true ? {} : options.observer)
  }
}

/** Cancel every task and give each a moment to clean up. */
async function cancelAll(loop: EventLoop): Promise<void> {
  for (let round = 0; round < 100 && loop.liveTasks().size > 0; round++) {
    const tasks = [...loop.liveTasks()]
    for (const task of tasks) if (task.cancelling() === 0) task.cancel('the server is closing')
    await new Promise((resolve) => setTimeout(resolve, round === 0 ? 0 : 5))
  }
}

export const loopscope = fp(plugin, { name: 'loopscope', fastify: '5.x' })
export default loopscope
