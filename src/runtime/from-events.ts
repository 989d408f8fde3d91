// Waits for events of an EventEmitter or EventTarget: for the next one, or for each.
import type { Coroutine } from './coroutine.ts'
import type { CoroutineIterable, CoroutineIterator } from './coroutine-iterator.ts'
import { requireInteger } from './checks.ts'
import { Deque } from './deque.ts'
import { callBody } from './awaitable.ts'
import { describe } from './describe.ts'
import { QueueFull } from './exceptions.ts'
import { HostFuture } from './host-future.ts'
import { getRunningLoop } from './abstract-loop.ts'
import { trackUnawaited } from './unawaited.ts'

interface Emitter {
  on(name: string, listener: (...args: unknown[]) => void): unknown
  off(name: string, listener: (...args: unknown[]) => void): unknown
}

interface Target {
  addEventListener(name: string, listener: (event: unknown) => void): void
  removeEventListener(name: string, listener: (event: unknown) => void): void
}

function isTarget(source: Emitter | Target): source is Target {
  return typeof (source as Target).addEventListener === 'function'
}

/** Listen to events, and to an emitter's 'error' unless `name` is 'error'. Returns a function that stops listening. */
function listen(source: Emitter | Target, name: string, onEvent: (...args: unknown[]) => void, onError: (error: unknown) => void): () => void {
  if (isTarget(source)) {
    source.addEventListener(name, onEvent)
    return () => source.removeEventListener(name, onEvent)
  }
  source.on(name, onEvent)
  if (name !== 'error') source.on('error', onError)
  return () => {
    source.off(name, onEvent)
    source.off('error', onError)
  }
}

/**
 * Wait for the next event `name` of an EventEmitter or EventTarget; returns the listener's arguments. It listens only while
 * awaited, so events between two calls are missed: use `fromEvents` for every event. An emitter's 'error' is thrown.
 */
export function fromEvent(source: Emitter | Target, name: string): Coroutine<unknown[]> {
  return trackUnawaited(eventSteps(source, name), 'fromEvent')
}

function* eventSteps(source: Emitter | Target, name: string): Coroutine<unknown[]> {
  getRunningLoop()
  const future = new HostFuture<unknown[]>(`event ${describe(name)}`)
  const stop = listen(source, name, (...args) => future.succeed(args), (error) => future.reject(error))
  try {
    return yield* future
  } finally {
    future.close()
    stop()
  }
}

/** The events of one name, one after another; `asyncFor` iterates over them. */
export interface HostEvents extends CoroutineIterable<unknown[]> {
  /** Wait for the next event; returns the listener's arguments. */
  next(): Coroutine<unknown[]>
  /** Run `body` for each event, one after another; stops listening if the body throws or the task is cancelled. */
  forEach(body: (...args: unknown[]) => Coroutine<void>): Coroutine<never>
  /** Stop listening, and drop the events not yet taken. */
  close(): void
  [Symbol.dispose](): void
}

const MOST_EVENTS = 1024

/**
 * Listen to the events `name` of an EventEmitter or EventTarget from now on, and keep them until they are taken:
 * `using messages = fromEvents(socket, 'message')`. At most `maxsize` (1024) are kept; further ones are dropped. Once the kept
 * events are taken, `next` throws a QueueFull with the number dropped: none is lost without an error. An emitter's 'error' is thrown in order of arrival.
 */
export function fromEvents(source: Emitter | Target, name: string, options?: { maxsize?: number }): HostEvents {
  const maxsize = options?.maxsize ?? MOST_EVENTS
  requireInteger(maxsize, 'fromEvents: maxsize', 1)
  return new Events(source, name, maxsize)
}

type Happening = { readonly args: unknown[] } | { readonly error: unknown }

class Events implements HostEvents {
  readonly #name: string
  readonly #maxsize: number
  readonly #kept = new Deque<Happening>()
  /** The waiting tasks. A woken task takes its event itself, so an event that wakes a cancelled task is not lost. */
  readonly #waiters = new Deque<HostFuture<void>>()
  readonly #stop: () => void
  #lost = 0

  constructor(source: Emitter | Target, name: string, maxsize: number) {
    this.#name = name
    this.#maxsize = maxsize
    this.#stop = listen(source, name, (...args) => this.#keep({ args }), (error) => this.#keep({ error }))
  }

  next(): Coroutine<unknown[]> {
    return trackUnawaited(this.#next(), 'fromEvents.next')
  }

  forEach(body: (...args: unknown[]) => Coroutine<void>): Coroutine<never> {
    return trackUnawaited(this.#forEach(body), 'fromEvents.forEach')
  }

  aiter(): CoroutineIterator<unknown[]> {
    return new EventIterator(this)
  }

  close(): void {
    this.#stop()
    while (this.#kept.shift() !== undefined);
    this.#lost = 0
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #keep(happening: Happening): void {
    if (this.#kept.length >= this.#maxsize) this.#lost++
    else this.#kept.push(happening)
    this.#wakeNext()
  }

  #wakeNext(): void {
    let waiter: HostFuture<void> | undefined
    while ((waiter = this.#waiters.shift()) !== undefined) {
      if (waiter.done()) continue
      waiter.succeed()
      return
    }
  }

  *#next(): Coroutine<unknown[]> {
    while (this.#kept.length === 0 && this.#lost === 0) {
      const waiter = new HostFuture<void>(`event ${describe(this.#name)}`)
      this.#waiters.push(waiter)
      try {
        yield* waiter
      } catch (error) {
        if (this.#kept.length > 0) this.#wakeNext()
        throw error
      } finally {
        waiter.close()
        this.#waiters.remove(waiter)
      }
    }
    const happening = this.#kept.shift()
    if (happening === undefined) throw this.#overflow()
    if ('error' in happening) throw happening.error
    return happening.args
  }

  #overflow(): QueueFull {
    const lost = this.#lost
    this.#lost = 0
    return new QueueFull(`fromEvents: ${lost} events ${describe(this.#name)} came while ${this.#maxsize} waited to be taken, and are lost: take them faster, or give more room with { maxsize }`)
  }

  *#forEach(body: (...args: unknown[]) => Coroutine<void>): Coroutine<never> {
    try {
      for (;;) yield* callBody('fromEvents.forEach', body, ...(yield* this.#next()))
    } finally {
      this.close()
    }
  }
}

/** The events as items, each the listener's arguments. */
class EventIterator implements CoroutineIterator<unknown[]> {
  readonly #events: HostEvents

  constructor(events: HostEvents) {
    this.#events = events
  }

  *next(): Coroutine<IteratorResult<unknown[], undefined>> {
    return { done: false, value: yield* this.#events.next() }
  }

  *close(): Coroutine<void> {
    this.#events.close()
  }

  aiter(): this {
    return this
  }
}
