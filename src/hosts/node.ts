// The host adapter for Node: the only part of the runtime that imports node: modules.
import { AsyncResource } from 'node:async_hooks'
import { Session } from 'node:inspector'
import { constants } from 'node:os'
import { inspect } from 'node:util'
import { isMainThread } from 'node:worker_threads'
import type { CoroutineInfo, Host, HostContext } from '../runtime/host.ts'
import { describe } from '../runtime/describe.ts'
import { KeyboardInterrupt, RuntimeError } from '../runtime/exceptions.ts'
import { asyncLocals } from './async-locals.ts'
import { collectSoon } from './collection.ts'

// setTimeout takes 32 bits of milliseconds; a longer wait is made of several.
const LONGEST_MS = 2 ** 31 - 1
const FOREVER_MS = 2 ** 30

// A reaction to it is a microtask like queueMicrotask's, without the extra object that Node makes for that.
const SETTLED = Promise.resolve()

/** A shell's exit code for a process that SIGINT ended: 128 + 2. */
const INTERRUPTED_CODE = 130

const cell = new Int32Array(new SharedArrayBuffer(4))

class NodeHost implements Host {
  readonly virtual = false
  readonly debug = process.env['LOOPSCOPE_DEBUG'] === '1'

  now(): number {
    return performance.now() / 1000
  }

  elapsed(): number {
    return this.now()
  }

  soon(fn: () => void): void {
    void SETTLED.then(fn)
  }

  giveWay(fn: () => void): void {
    setImmediate(fn)
  }

  wait(seconds: number, _hostWork: number, fn: () => void): () => void {
    // `hold` should keep the process alive, not this timer.
    const timer = setTimeout(fn, Math.min(Math.ceil(seconds * 1000), LONGEST_MS))
    timer.unref()
    return () => clearTimeout(timer)
  }

  block(seconds: number): void {
    Atomics.wait(cell, 0, 0, seconds * 1000)
  }

  hold(): () => void {
    const timer = setInterval(() => {}, FOREVER_MS)
    return () => clearInterval(timer)
  }

  onInterrupt(fn: () => void): () => void {
    // A program that listens for SIGINT itself decides what it means, as in asyncio.
    if (process.listenerCount('SIGINT') > 0) return () => {}
    const stop = (): void => {
      process.off('SIGINT', onSigint)
    }
    let interrupts = 0
    const onSigint = (): void => {
      // Set since: it decides what SIGINT means.
      if (interruptHandlers > 0) return
      if (++interrupts === 1) {
        exitAsInterrupted()
        fn()
        return
      }
      // The program did not end after the first: the second has its usual effect.
      stop()
      process.kill(process.pid, 'SIGINT')
    }
    process.on('SIGINT', onSigint)
    return stop
  }

  onSignal(signal: string, fn: () => void): () => void {
    if (!Object.hasOwn(constants.signals, signal)) throw new RangeError(`addSignalHandler: a signal is needed, such as 'SIGTERM', got ${describe(signal)}`)
    if (!isMainThread) throw new RuntimeError(`addSignalHandler: ${signal} arrives at the main thread only, and this is a worker thread`)
    if (UNCATCHABLE.has(signal)) throw new RuntimeError(`addSignalHandler: no process can handle ${signal}`)
    process.on(signal, fn)
    if (signal === 'SIGINT') interruptHandlers++
    return () => {
      process.off(signal, fn)
      if (signal === 'SIGINT') interruptHandlers--
    }
  }

  onExit(fn: () => void): () => void {
    // One listener for all: Node warns of many.
    if (atExit.size === 0) process.on('exit', exiting)
    atExit.add(fn)
    return () => {
      atExit.delete(fn)
      if (atExit.size === 0) process.off('exit', exiting)
    }
  }

  collectSoon(left: ReadonlySet<object>): void {
    collectSoon(left)
  }

  hostContext(): HostContext | null {
    return asyncLocals.used ? new AsyncResource('loopscope') : null
  }

  emptyContext(): HostContext | null {
    return asyncLocals.used ? asyncLocals.empty : null
  }

  format(values: readonly unknown[]): string {
    return values.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' ')
  }

  write(line: string): void {
    console.log(line)
  }

  report(text: string): void {
    console.error(text)
  }

  inspect(coroutine: object): CoroutineInfo | null {
    const prototype = Object.getPrototypeOf(coroutine) as object
    let info = functions.get(prototype)
    if (info === undefined) {
      info = inspectGenerator(coroutine)
      functions.set(prototype, info)
    }
    return info
  }
}

/** How many handlers of SIGINT loops have. */
let interruptHandlers = 0
const UNCATCHABLE = new Set(['SIGKILL', 'SIGSTOP'])

const atExit = new Set<() => void>()

function exiting(): void {
  for (const fn of atExit) fn()
}

let watchingUncaught = false

/** Makes the process exit with 130, as for SIGINT, and not with 1, if the KeyboardInterrupt of an interrupted run ends it. */
function exitAsInterrupted(): void {
  if (watchingUncaught) return
  watchingUncaught = true
  process.on('uncaughtExceptionMonitor', (error) => {
    if (!(error instanceof KeyboardInterrupt) || process.listenerCount('uncaughtException') > 0) return
    process.once('exit', () => {
      process.exitCode = INTERRUPTED_CODE
    })
  })
}

// All generators of one function share a prototype, so each function is inspected once.
const functions = new WeakMap<object, CoroutineInfo | null>()

interface Property {
  name: string
  value?: { objectId?: string; description?: string; value?: unknown }
}

const HANDLE = Symbol.for('loopscope.inspected')

/** Asks V8's inspector for the function of a generator; nothing else knows it. */
function inspectGenerator(generator: object): CoroutineInfo | null {
  const session = new Session()
  const post = (method: string, parameters: object): { result?: unknown; internalProperties?: Property[] } => {
    let answer = {}
    session.post(method, parameters, (error, result) => {
      if (error === null) answer = result as object
    })
    return answer
  }
  const globals = globalThis as { [HANDLE]?: object }
  try {
    session.connect()
    globals[HANDLE] = generator
    const expression = `globalThis[Symbol.for('loopscope.inspected')]`
    const { objectId } = (post('Runtime.evaluate', { expression }).result ?? {}) as { objectId?: string }
    if (objectId === undefined) return null
    const internal = post('Runtime.getProperties', { objectId, ownProperties: true }).internalProperties ?? []
    const fn = internal.find(({ name }) => name === '[[GeneratorFunction]]')?.value
    if (fn?.objectId === undefined) return null
    const own = post('Runtime.getProperties', { objectId: fn.objectId, ownProperties: true }).result as Property[]
    const name = own.find((property) => property.name === 'name')?.value?.value
    return { name: typeof name === 'string' ? name : '' }
  } catch {
    // A runtime without an inspector: coroutines have no names.
    return null
  } finally {
    delete globals[HANDLE]
    session.disconnect()
  }
}

export const nodeHost: Host = new NodeHost()
