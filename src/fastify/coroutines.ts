// Coroutines wherever Fastify takes a function: hooks, error handlers, not-found handlers, WebSocket handlers. Each call is a
// task on the app's loop, in the context of its request, and is cancelled when the client disconnects.
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import type { WebSocket } from 'ws'
import type { Context } from '../runtime/context.ts'
import type { Coroutine } from '../runtime/coroutine.ts'
import type { EventLoop } from '../runtime/loop.ts'
import { awaiting } from '../runtime/returned.ts'
import { leaveWith, stay } from './served-request.ts'

const GeneratorFunction = Object.getPrototypeOf(function* () {}) as object

type CoroutineFunction = (this: unknown, ...args: unknown[]) => Coroutine<unknown>

/** Whether a function is a coroutine function. */
export function isCoroutineFunction(fn: unknown): fn is CoroutineFunction {
  return typeof fn === 'function' && Object.prototype.isPrototypeOf.call(GeneratorFunction, fn)
}

/** The hooks that a route can have, and those of the app: Fastify takes an asynchronous function for each. */
const HOOKS = ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'preSerialization', 'onSend', 'onResponse', 'onError', 'onTimeout', 'onRequestAbort'] as const

interface Asked {
  method: string
  url: string
  raw: FastifyRequest['raw']
}

/** The request among the arguments of a hook or handler. */
function requestOf(args: readonly unknown[]): FastifyRequest | null {
  return (args.find((one) => typeof one === 'object' && one !== null && 'raw' in one && 'method' in one) as FastifyRequest | undefined) ?? null
}

export class Coroutines {
  readonly #loop: EventLoop
  readonly #contextOf: (request: FastifyRequest) => Context

  constructor(loop: EventLoop, contextOf: (request: FastifyRequest) => Context) {
    this.#loop = loop
    this.#contextOf = contextOf
  }

  /** `fn` as an asynchronous function that runs it as a task; unchanged if it is not a coroutine function. */
  asynchronous<F>(fn: F, what: string): F {
    if (!isCoroutineFunction(fn)) return fn
    const run = this.#run.bind(this)
    return async function (this: unknown, ...args: unknown[]) {
      return run(fn.apply(this, args), what, requestOf(args))
    } as F
  }

  /** `fn`, a handler of WebSockets, as a plain one. Its task is cancelled when the socket closes. */
  socketHandler<F>(fn: F): F {
    if (!isCoroutineFunction(fn)) return fn
    const loop = this.#loop
    const contextOf = this.#contextOf
    return function (this: unknown, socket: WebSocket, request: FastifyRequest) {
      const task = loop.createTask(fn.call(this, socket, request), { name: `WebSocket ${pathOf(request)}`, context: contextOf(request) })
      socket.on('close', () => task.cancel('the client went away'))
      task.addDoneCallback(() => {
        if (!task.failed()) return
        request.log.error({ err: task.exception() }, 'a WebSocket handler failed')
        socket.close(1011, 'the handler failed')
      })
    } as F
  }

  /** Wraps the hooks of a route. */
  wrapHooks(route: RouteOptions): void {
    const hooks = route as unknown as Record<string, unknown>
    for (const name of HOOKS) {
      const own = hooks[name]
      if (Array.isArray(own)) hooks[name] = own.map((fn: unknown) => this.asynchronous(fn, name))
      else if (own !== undefined) hooks[name] = this.asynchronous(own, name)
    }
  }

  /** Lets `app`, and all that is registered within it from now on, take coroutines as hooks and error handlers. */
  install(app: FastifyInstance): void {
    const methods = app as unknown as Record<string, (this: unknown, ...args: unknown[]) => unknown>
    for (const name of ['addHook', 'setErrorHandler', 'setNotFoundHandler']) {
      const method = methods[name] as (this: unknown, ...args: unknown[]) => unknown
      const wrap = (fn: unknown, args: unknown[]): unknown => this.asynchronous(fn, name === 'addHook' ? String(args[0]) : name)
      methods[name] = function (...args) {
        return method.apply(this, args.map((one) => wrap(one, args)))
      }
    }
  }

  async #run(coro: Coroutine<unknown>, what: string, request: FastifyRequest | null): Promise<unknown> {
    const loop = this.#loop
    const task = request === null ? loop.createTask(awaiting(coro), { name: what })
      : loop.createTask(awaiting(coro), { name: `${request.method} ${pathOf(request)} ${what}`, context: this.#contextOf(request) })
    const socket = request?.raw.socket
    const entry = { disconnected: () => task.cancel('the client went away') }
    if (socket !== undefined) leaveWith(socket, entry)
    // An app's loop does not keep the process alive, and without a socket (`inject`) nothing else would.
    const release = loop.host.hold()
    try {
      return await task
    } finally {
      release()
      if (socket !== undefined) stay(socket, entry)
    }
  }
}

function pathOf({ url }: Asked): string {
  return url.split('?', 1)[0] as string
}
