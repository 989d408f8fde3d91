// A queue of calls and the threads that run them in order: the pool is a queue with several threads, a sensitive thread is one
// with a single thread. Threads are started when they are first needed.
import type { LaneState } from './state.ts'
import type { Call, Holder } from './call.ts'
import type { Owner, Thread } from './thread.ts'
import { QueueFull } from '../runtime/exceptions.ts'
import { BrokenThread, type NoThread } from './errors.ts'
import { findTarget, knownTarget } from './exports.ts'

/** Where a queue gets its threads. */
export interface ThreadSource {
  /** A thread for `queue`, idle or about to start; `null` if it has to wait for one, and will be pumped then. Throws a NoThread. */
  take(queue: WorkerQueue): Thread | null
  /** The queue is closed and no longer needs this idle thread. */
  giveBack(thread: Thread): Promise<void>
  /** A thread from here has ended. */
  onGone(thread: Thread): void
  /** The queue no longer waits for a thread. */
  leave(queue: WorkerQueue): void
}

export class WorkerQueue implements Holder, Owner {
  readonly mode: 'sensitive' | 'pool'
  readonly #size: number
  readonly #maxQueue: number
  readonly #source: ThreadSource
  readonly #threads = new Set<Thread>()
  /** Idle threads, the last used at the end: its caches are warm. */
  readonly #idle: Thread[] = []
  readonly #queue = new Set<Call>()
  /** For each thread that waits in asyncToSync for a coroutine: calls of that coroutine, which must run on the same thread. */
  readonly #nested = new Map<Thread, Set<Call>>()
  #closed = false
  #onEmpty: (() => void) | null = null

  /** `size`: the most threads; `maxQueue`: the most calls that wait for one. */
  constructor(mode: 'sensitive' | 'pool', size: number, maxQueue: number, source: ThreadSource) {
    this.mode = mode
    this.#size = size
    this.#maxQueue = maxQueue
    this.#source = source
  }

  get empty(): boolean {
    return this.#queue.size === 0 && this.#nested.size === 0 && this.#idle.length === this.#threads.size
  }

  /** Queues a call. Call `requireRoom` first. */
  submit(call: Call, caller: string): void {
    call.holder = this
    call.target = knownTarget(call.fn) ?? null
    const host = this.#threadToNestOn(call)
    if (host !== null) this.#nest(call, host)
    else this.#queue.add(call)
    if (call.target === null) this.#find(call, caller)
    else this.pump()
  }

  /** Throws a QueueFull if there is no room for another call. */
  requireRoom(caller: string, name: string): void {
    if (this.#closed) throw new BrokenThread(`${caller}: ${name}() came after the threads were closed`)
    let free = this.#size
    for (const thread of this.#threads) if (thread.busy) free--
    if (this.#queue.size < this.#maxQueue + free) return
    const busy = this.#size === 1 ? 'its one thread' : `one of ${this.#size} threads`
    throw new QueueFull(`${caller}: ${this.#maxQueue} calls wait for ${busy} (${this.mode}) already, ${name}() finds no room: try again later`)
  }

  /** Looks the function up. Its call keeps its place meanwhile. */
  #find(call: Call, caller: string): void {
    findTarget(call.fn, caller).then(
      (target) => {
        call.target = target
        this.pump()
      },
      (error: unknown) => {
        this.onCancelled(call)
        if (call.status === 'queued') call.finish('raised', error)
        this.pump()
      },
    )
  }

  /**
   * The thread of this queue that waits for the coroutine that makes this call, directly or through calls on other queues:
   * to wait for another thread could be a deadlock.
   */
  #threadToNestOn(call: Call): Thread | null {
    if (this.#idle.length > 0 || this.#threads.size < this.#size) return null
    for (let request = call.within; request !== null; request = request.outer) {
      if (request.replied) continue
      for (const thread of this.#threads) if (thread.waitsFor(request)) return thread
    }
    return null
  }

  #nest(call: Call, thread: Thread): void {
    const calls = this.#nested.get(thread)
    if (calls === undefined) this.#nested.set(thread, new Set([call]))
    else calls.add(call)
  }

  /** Gives calls to free threads. */
  pump(): void {
    for (const [thread, calls] of this.#nested) {
      if (!thread.waiting) continue
      const [call] = calls
      if (call === undefined || call.target === null) continue
      this.#remove(call)
      thread.run(call)
    }
    for (const call of this.#queue) {
      if (call.target === null) return
      const thread = this.#idle.pop() ?? this.#grow()
      if (thread === null) return
      this.#queue.delete(call)
      thread.run(call)
      if (thread.idle) this.#idle.push(thread) // the call could not be sent
    }
  }

  /** Starts as many threads as there are calls for; returns one that is idle already. */
  #grow(): Thread | null {
    let starting = 0
    for (const thread of this.#threads) if (thread.starting) starting++
    for (; starting < this.#queue.size && this.#threads.size < this.#size; starting++) {
      try {
        const thread = this.#add()
        if (thread === null || thread.idle) return thread
      } catch (error) {
        this.#failQueue(error as NoThread)
        return null
      }
    }
    return null
  }

  #add(): Thread | null {
    const thread = this.#source.take(this)
    if (thread !== null) this.#threads.add(thread)
    return thread
  }

  /**
   * A thread could not be started. Unless other threads can take them, the queued calls fail; returns whether one did. The
   * next attempt follows with the next call or free thread: to try at once could go on without end.
   */
  #failQueue(error: NoThread): boolean {
    if (this.#threads.size > 0) return false
    const calls = [...this.#queue]
    this.#queue.clear()
    for (const call of calls) call.finish('raised', error)
    return calls.length > 0
  }

  /** Starts all threads now, so that no call has to wait for that. Throws a NoThread. */
  fill(): void {
    while (this.#threads.size < this.#size) this.#add()
  }

  #remove(call: Call): void {
    this.#queue.delete(call)
    for (const [thread, calls] of this.#nested) {
      if (calls.delete(call) && calls.size === 0) this.#nested.delete(thread)
    }
  }

  onCancelled(call: Call): void {
    this.#remove(call)
    this.#tellEmpty()
  }

  /** A thread can take a call: it is idle, or waits in asyncToSync. */
  onFree(thread: Thread): void {
    if (thread.idle) {
      // Calls that its coroutine left behind are queued like all others.
      for (const call of this.#nested.get(thread) ?? []) this.#queue.add(call)
      this.#nested.delete(thread)
      this.#idle.push(thread)
    }
    this.pump()
    this.#tellEmpty()
  }

  /** A thread has ended. The next call that needs one gets a new one. */
  onGone(thread: Thread, started: boolean, error: BrokenThread): boolean {
    this.#threads.delete(thread)
    this.#source.onGone(thread)
    const at = this.#idle.indexOf(thread)
    if (at >= 0) this.#idle.splice(at, 1)
    const left = [...(this.#nested.get(thread) ?? [])]
    this.#nested.delete(thread)
    if (this.#closed) left.push(...this.#queue)
    for (const call of left) {
      this.#queue.delete(call)
      call.finish('raised', error)
    }
    let told = left.length > 0
    if (!started) told = this.#failQueue(error) || told || this.hasThread
    else if (!this.#closed) this.pump()
    this.#tellEmpty()
    return told
  }

  #tellEmpty(): void {
    if (this.#onEmpty !== null && this.empty) this.#onEmpty()
  }

  /** Refuses further calls, waits until all have ended (also those whose task was cancelled) or for `seconds`, and ends the threads. */
  async close(seconds = Infinity): Promise<void> {
    this.#closed = true
    if (!this.empty && seconds > 0) {
      await new Promise<void>((resolve) => {
        const timer = seconds === Infinity ? undefined : setTimeout(resolve, seconds * 1000)
        this.#onEmpty = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#onEmpty = null
    }
    for (const call of [...this.#queue]) {
      this.#queue.delete(call)
      call.finish('raised', new BrokenThread(`${call.function}(): the threads were closed before it began`))
    }
    this.#source.leave(this)
    await Promise.all([...this.#threads].map((thread) => (thread.idle ? this.#release(thread) : thread.terminate())))
  }

  #release(thread: Thread): Promise<void> {
    this.#threads.delete(thread)
    return this.#source.giveBack(thread)
  }

  get hasThread(): boolean {
    return this.#threads.size > 0
  }

  /** How many calls wait for a thread. */
  get queued(): number {
    return this.#queue.size
  }

  /** Every call that has not ended, the running ones first. */
  get calls(): Call[] {
    const nested = [...this.#nested.values()].flatMap((calls) => [...calls])
    return [...[...this.#threads].flatMap((thread) => thread.calls), ...nested, ...this.#queue]
  }

  state(): LaneState {
    const { calls } = this
    const count = (status: Call['status']): number => calls.filter((call) => call.status === status).length
    return {
      mode: this.mode, size: this.#size, threads: this.#threads.size, idle: this.#idle.length, maxQueue: this.#maxQueue,
      queued: count('queued'), running: count('running'), orphaned: count('orphaned'), calls,
    }
  }
}
