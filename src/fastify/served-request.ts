// A request while a coroutine serves it: its task, its timing, and its answer.
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import type { Socket } from 'node:net'
import type { Context } from '../runtime/context.ts'
import type { Coroutine } from '../runtime/coroutine.ts'
import type { EventLoop } from '../runtime/loop.ts'
import type { Task } from '../runtime/task.ts'
import { CancelledError, TimeoutError } from '../runtime/exceptions.ts'
import { awaiting, mustBeAwaited } from '../runtime/returned.ts'
import { asError } from '../http/thrown.ts'
import { serverTiming, type BlockLog, type Timing } from '../http/request-timing.ts'
import type { StillOpen } from '../http/still-open.ts'
import { ServedTask, type RequestOutcome, type ServedTasks } from '../http/served-task.ts'

/** Called when requests begin and end. */
export interface RequestObserver {
  /** The number that this request already has, if any. */
  numberOf(request: FastifyRequest): number | undefined
  /** The request's task is created right after this. */
  requestStarted(served: Served): void
  requestFinished(served: Served, outcome: RequestOutcome): void
}

/** The plugin's state in an app, as `app.loopscope`. */
export interface Loopscope {
  readonly loop: EventLoop
  /** What blocked the loop recently. */
  readonly blocks: BlockLog
  /** Requests being served. */
  readonly active: ServedTasks<Served>
  observer: RequestObserver | null
  /** @internal What a closing app still waits for. */
  stillOpen(): StillOpen
  /** How many requests have begun. */
  readonly requests: number
  /** Counts a request and returns its number. */
  takeRequestId(request: FastifyRequest | null): number
  /** Whether this handler of a route serves its requests as tasks, and reports them itself. */
  serves(handler: unknown): boolean
  /** @internal Registers such a handler, and returns it. */
  own(handler: RouteHandlerMethod): RouteHandlerMethod
}

/** What the requests of one app share. */
export interface Serving extends Loopscope {
  /** Keeps the process alive while a request without a socket is under way. */
  readonly keepAlive: NodeJS.Timeout
  /** Whether responses have `X-Request-Id` and `Server-Timing`. */
  readonly headers: boolean
  /** The app is closing. */
  closing: boolean
}

const ofSocket = Symbol('requests under way')
type Watched = Socket & { [ofSocket]?: Leaving[] }

/** Something that ends when its client disconnects. */
export interface Leaving {
  /** @internal */
  disconnected(): void
}

/** Calls `one.disconnected()` when this connection closes. There is one listener for the connection, not one for each request. */
export function leaveWith(socket: Socket, one: Leaving): void {
  const watched = socket as Watched
  if (watched[ofSocket] === undefined) {
    const leaving: Leaving[] = []
    watched[ofSocket] = leaving
    socket.once('close', () => {
      for (const other of [...leaving]) other.disconnected()
    })
  }
  watched[ofSocket].push(one)
}

/** It has ended before its connection. A connection has few requests at a time. */
export function stay(socket: Socket, one: Leaving): void {
  const leaving = (socket as Watched)[ofSocket]
  const at = leaving?.lastIndexOf(one) ?? -1
  if (leaving === undefined || at < 0) return
  const last = leaving.pop() as Leaving
  if (last !== one) leaving[at] = last
}

/** A route whose requests all have this path. The names of their tasks begin with `prefix`; a number follows. */
export interface FixedRoute {
  readonly path: string
  readonly prefix: string
}

export class Served extends ServedTask implements Leaving {
  readonly id: number
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** @internal */ readonly route: FixedRoute | null
  /** It goes on until its client disconnects, as an event stream does. Closing does not wait for it. */
  endless = false
  private gone = false
  private readonly app: Serving

  /** @internal */
  constructor(app: Serving, id: number, request: FastifyRequest, reply: FastifyReply, route: FixedRoute | null) {
    super(request.raw, app)
    this.route = route
    this.app = app
    this.id = id
    this.request = request
    this.reply = reply
  }

  /** The time spent so far, as the header's value. */
  serverTiming(): string {
    this.timing.measure(this.loop.time())
    return serverTiming(this.timing)
  }

  /** Sets the response headers on the reply. What the app has set is kept. */
  stamp(): void {
    if (!this.timing.over) this.timing.measure(this.loop.time())
    if (this.app.headers) stamp(this.reply, this.request.id, this.timing)
  }

  /** @internal Serves the request by this coroutine, whose task gets `name`. */
  start(coro: Coroutine<unknown>, name: string, context: Context): void {
    const { active, observer } = this.app
    const { request } = this
    active.add(this)
    // Without a socket (`inject`), the request itself must keep the process alive.
    if (active.size === 1 && !request.server.server.listening) this.app.keepAlive.ref()
    observer?.requestStarted(this)
    leaveWith(request.raw.socket, this)
    this.run(coro, name, context)
  }

  /** @internal The client has disconnected. */
  disconnected(): void {
    this.gone = true
    this.task?.cancel('the client went away')
  }

  /** Answers the client. */
  protected ended(task: Task<unknown>, outcome: RequestOutcome, thrown: unknown): void {
    const { reply } = this
    const value = outcome === 'returned' ? task.value : undefined
    if (value !== reply && mustBeAwaited(value)) {
      // The handler returned an awaitable without `yield*`: its result is the answer.
      this.run(awaiting(value), task.getName(), task.getContext())
      return
    }
    const failure = outcome === 'returned' ? null : asError(translate(thrown))
    this.timing.over = true
    this.leave()
    if (!this.gone) {
      if (!reply.sent && !reply.raw.headersSent) {
        // A handler that returns its reply has sent it, or is about to.
        if (failure !== null || value !== reply) this.answer(value, failure)
      } else if (failure !== null) this.cutOff(failure)
    }
    this.app.observer?.requestFinished(this, this.gone ? 'disconnected' : outcome)
  }

  private leave(): void {
    const { active, keepAlive } = this.app
    active.delete(this)
    if (active.size === 0) keepAlive.unref()
    stay(this.request.raw.socket, this)
  }

  private answer(value: unknown, failure: Error | null): void {
    const { reply } = this
    this.stamp()
    if (this.app.closing) reply.header('connection', 'close')
    try {
      reply.send(failure ?? value)
    } catch (error) {
      if (!reply.sent) reply.send(error)
    }
  }

  /** It failed in the middle of the response: the response is cut off, so that it is not mistaken for a whole one. */
  private cutOff(failure: Error): void {
    const { raw } = this.reply
    if (raw.writableEnded) return
    if (!(this.task?.cancelled() ?? false)) this.request.log.error({ err: failure }, 'failed after the response had begun')
    raw.destroy()
  }
}

/** Sets on a reply its request's id, unless the app has set one, and its timing, after that of the app. */
export function stamp(reply: FastifyReply, id: string, timing: Timing): void {
  if (reply.getHeader('x-request-id') === undefined) reply.header('x-request-id', id)
  const own = reply.getHeader('server-timing')
  const told = serverTiming(timing)
  reply.header('server-timing', own === undefined ? told : `${[own].flat().join(', ')}, ${told}`)
}

function translate(error: unknown): unknown {
  if (error instanceof CancelledError) {
    return Object.assign(new Error(error.message === '' ? 'the task of this request was cancelled' : `the task of this request was cancelled: ${error.message}`), { statusCode: 503, code: 'task-cancelled' })
  }
  if (error instanceof TimeoutError) {
    return Object.assign(new Error(error.message === '' ? 'timed out' : error.message, { cause: error }), { statusCode: 504, code: 'timeout' })
  }
  return error
}
