// The main thread's side of one worker thread. It runs one call at a time. While a call waits in asyncToSync, the thread can
// run another one on top of it: calls that the awaited coroutine makes on the same queue run there.
import { Worker, MessageChannel } from 'node:worker_threads'
import type { EventLoop } from '../runtime/loop.ts'
import type { Call, Requested } from './call.ts'
import type { Wakeup } from './wakeup.ts'
import { ownFile, programThread } from '../launch.ts'
import { reportContext } from '../runtime/exception-handler.ts'
import { defaultHost } from '../runtime/host.ts'
import { Channel, channelMemory } from './channel.ts'
import { addressOf } from './exports.ts'
import { BrokenThread, NoThread, unpack } from './errors.ts'
import { CALL, CANCEL, READY, REQUEST, RETURNED, THREW, type Returned, type Threw, type ToMain } from './protocol.ts'
import { Requests } from './requests.ts'
import { takeAlong } from './context-transfer.ts'

/** This long after a call, the thread's own event loop runs once. */
const TURN_AFTER_MS = 10

/** What a thread is started with. */
export interface ThreadData {
  loopscopeThread: { memory: SharedArrayBuffer; bell: Int32Array; port: import('node:worker_threads').MessagePort }
}

/** What a thread works for at present: a queue, or the stock in which it waits for one. */
export interface Owner {
  readonly mode: 'sensitive' | 'pool'
  /** The thread can take a call: it is idle, or waits in asyncToSync. */
  onFree(thread: Thread): void
  /** The thread has ended; `started` says whether it was ever ready. Returns false if this failed nothing that would report `error`. */
  onGone(thread: Thread, started: boolean, error: BrokenThread): boolean
}

export class Thread {
  owner: Owner
  readonly #bell: Wakeup
  readonly #worker: Worker
  readonly #channel: Channel
  readonly #requests: Requests
  /** Calls, and the requests that they wait for, innermost last. */
  readonly #frames: (Call | Requested)[] = []
  #ready = false
  #gone = false
  #listening = false
  #turn: NodeJS.Timeout | null = null
  #terminated = false
  #error: unknown = null
  /** The loop of the last call. */
  #loop: EventLoop | null = null

  /** Throws a NoThread if the system starts none. */
  constructor(owner: Owner, bell: Wakeup) {
    this.owner = owner
    this.#bell = bell
    const memory = channelMemory()
    const { port1, port2 } = new MessageChannel()
    const data: ThreadData = { loopscopeThread: { memory, bell: bell.word, port: port2 } }
    this.#channel = new Channel('main', memory, port1, bell.word)
    this.#requests = new Requests((reply) => {
      this.#channel.send(reply)
      this.#dropReplied()
    })
    try {
      this.#worker = new Worker(ownFile('./loopscope-thread', import.meta.url), { workerData: data, transferList: [port2], name: `loopscope ${owner.mode}`, ...programThread() })
    } catch (error) {
      this.#channel.close()
      throw new NoThread(`a worker thread (${owner.mode}) could not be started: ${String(error)}`, { cause: error })
    }
    this.#worker.on('error', (error) => {
      this.#error = error
    })
    this.#worker.on('exit', (code) => this.#onExit(code))
    // The loop keeps the process alive while a task waits; a thread by itself does not.
    this.#worker.unref()
    this.#listen()
  }

  /** Whether it has started and runs nothing. */
  get idle(): boolean {
    return this.#ready && !this.#gone && this.#frames.length === 0
  }

  get busy(): boolean {
    return this.#frames.length > 0
  }

  get starting(): boolean {
    return !this.#ready && !this.#gone
  }

  /** Whether a call could run here on top of one that waits for `request`. */
  waitsFor(request: Requested): boolean {
    return this.#gone ? false : this.#frames.includes(request)
  }

  /** Whether its innermost call waits in asyncToSync. */
  get waiting(): boolean {
    const top = this.#frames.at(-1)
    return top !== undefined && 'request' in top && !this.#gone
  }

  /** The calls it runs, outermost first. */
  get calls(): Call[] {
    return this.#frames.filter((frame) => !('request' in frame)) as Call[]
  }

  /** Runs a call whose target is known. If it cannot be sent, the call fails and the thread does not change. */
  run(call: Call): void {
    const target = call.target!
    try {
      this.#channel.send([CALL, call.id, addressOf(target), call.args, takeAlong(target.module, call.context)])
    } catch (error) {
      call.finish('raised', notCloneable(call, error))
      return
    }
    this.#frames.push(call)
    this.#loop = call.loop
    call.holder = this
    this.#listen()
    call.start()
  }

  onCancelled(call: Call): void {
    // No task waits for this call any longer, but it must run to its end.
    this.#worker.ref()
    this.#requests.cancelOf(call)
  }

  /** Ends the thread. Its calls fail. */
  async terminate(): Promise<void> {
    this.#terminated = true
    await this.#worker.terminate()
  }

  /** Notes that the thread was sent something, and will answer. */
  #listen(): void {
    if (this.#listening) return
    this.#listening = true
    this.#bell.listen(this)
  }

  onRing(): void {
    for (;;) {
      const message = this.#channel.receive() as ToMain | null
      if (message === null) break
      this.#onMessage(message)
    }
    if (this.idle) {
      this.#listening = false
      this.#bell.unlisten(this)
    }
  }

  #onMessage(message: ToMain): void {
    switch (message[0]) {
      case READY:
        this.#ready = true
        this.owner.onFree(this)
        break
      case RETURNED:
      case THREW:
        this.#onEnd(message)
        break
      case REQUEST: {
        const call = this.calls.find(({ id }) => id === message[2])
        if (call === undefined) break // the worker asks only on behalf of a running call
        const requested = this.#requests.start(message, call)
        if (requested === null) break
        this.#frames.push(requested)
        this.owner.onFree(this)
        break
      }
      case CANCEL:
        this.#requests.cancel(message[1])
    }
  }

  #onEnd(message: Returned | Threw): void {
    const call = this.#frames.at(-1) as Call
    this.#frames.pop()
    this.#dropReplied()
    this.#turn ??= setTimeout(this.#giveTurn, TURN_AFTER_MS).unref()
    const [kind, , value, values] = message
    call.values = values
    if (call.status === 'orphaned' && !this.calls.some(({ status }) => status === 'orphaned')) this.#worker.unref()
    if (kind === RETURNED) call.finish('returned', value)
    else call.finish('raised', unpack(value, call.target!.module, `${call.function}() on a worker thread (${call.mode})`))
    this.owner.onFree(this)
  }

  readonly #giveTurn = (): void => {
    this.#turn = null
    if (this.idle) this.#channel.wake()
  }

  /** The innermost request has had its reply: its call runs again. */
  #dropReplied(): void {
    for (let top = this.#frames.at(-1); top !== undefined && 'request' in top && top.replied; top = this.#frames.at(-1)) {
      this.#frames.pop()
    }
  }

  #onExit(code: number): void {
    this.#gone = true
    const started = this.#ready
    this.onRing() // its last messages
    this.#bell.unlisten(this)
    this.#channel.close()
    if (this.#turn !== null) clearTimeout(this.#turn)
    const { calls } = this
    this.#frames.length = 0
    const why = this.#terminated ? 'was closed' : this.#error === null ? `exited with code ${code}` : `crashed: ${String(this.#error)}`
    const cause = { cause: this.#error ?? undefined }
    // The end of a call whose task was cancelled is reported to no task.
    let told = this.#terminated
    for (const call of calls.reverse()) {
      this.#requests.cancelOf(call)
      told ||= call.status === 'running'
      call.finish('raised', new BrokenThread(`${call.function}(): its worker thread ${why}`, cause))
    }
    const error = started ? new BrokenThread(`a worker thread (${this.owner.mode}) ${why}`, cause) : new NoThread(`a worker thread (${this.owner.mode}) ${why} before it was ready`, cause)
    told = this.owner.onGone(this, started, error) || told
    if (!told) this.#report(error.message)
  }

  /** Reports an end that failed no call. */
  #report(why: string): void {
    const context = { message: `${why}; no call failed with it`, ...(this.#error === null ? {} : { exception: this.#error }) }
    if (this.#loop === null) reportContext(defaultHost(), context)
    else this.#loop.callExceptionHandler(context)
  }
}

function notCloneable(call: Call, error: unknown): TypeError {
  const message = error instanceof Error ? error.message : String(error)
  return new TypeError(
    `${call.function}(): an argument, or a context variable that its module exports, cannot be copied to another thread: ${message}`,
    { cause: error },
  )
}
