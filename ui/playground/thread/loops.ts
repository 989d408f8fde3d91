// The runtime for the program. It is the original, but each loop is recorded, and cancelled on the page's request.
import * as loopscope from '../../../src/browser.ts'
import { Recorder } from '../../../src/events/recorder.ts'
import type { Coroutine, LoopOptions, RunOptions } from '../../../src/browser.ts'
import { running } from '../../../src/runtime/running.ts'
import { STRIDE } from '../messages.ts'
import type { Outbox } from './outbox.ts'
import type { Sources } from './failure.ts'
import type { Watch } from './watch.ts'

/** The recorder forwards its events at once, so its history may be short. */
const HISTORY = 1024

export interface Loops {
  /** What `import … from 'loopscope'` gives. */
  readonly api: Record<string, unknown>
  /** How many times the program has called `run`. */
  readonly runs: number
  /** Whether no loop has a timer, and no task waits for the host. */
  readonly idle: boolean
  /** The id of the running task in the events that are sent; null if none runs. */
  taskId(this: void): number | null
  run(main: Coroutine<unknown>): Promise<unknown>
  /** Waits until no `run` is active. */
  settled(): Promise<void>
}

export function makeLoops(outbox: Outbox, sources: Sources, watch: Watch, signal: AbortSignal): Loops {
  const going = new Set<Promise<unknown>>()
  const open = new Set<EventLoop>()
  let loops = 0
  let runs = 0

  class EventLoop extends loopscope.EventLoop {
    /** The runner ends the loop with tasks of its own, which are hidden. */
    closing = false
    readonly number = loops++
    #hostWork = 0

    constructor(options?: LoopOptions) {
      super(options)
      // Stalls already show this.
      this.slowCallbackDuration = Infinity
      const recorder = new Recorder(this, { history: HISTORY, name: 'playground' })
      this.instruments.add(watch.of(recorder))
      open.add(this)
      const hidden = new Set<number>()
      recorder.listen((event) => {
        const task = 'task' in event ? event.task : undefined
        if (this.closing && event.type === 'task.created' && event.parent === undefined) hidden.add(event.task)
        if (task === undefined || !hidden.has(task)) outbox.event(event, this.number)
      })
      this.setExceptionHandler((_loop, context) => {
        const { exception, createdAt } = context
        const message = sources.lines(context.message)
        const failure = exception === undefined ? { text: message, stack: [] } : sources.failure(exception, `${message}: `)
        if (failure.stack.length === 0 && createdAt !== undefined) failure.stack = createdAt.map((frame) => sources.place({ ...frame }))
        outbox.send({ type: 'report', failure })
      })
    }

    get idle(): boolean {
      return this.timers.size === 0 && this.#hostWork === 0
    }

    override addHostWork(difference: 1 | -1): void {
      this.#hostWork += difference
      super.addHostWork(difference)
    }
  }

  const withDefaults = (options: RunOptions = {}): RunOptions => ({ signal, loopFactory: () => new EventLoop(options), ...options })

  class Runner extends loopscope.Runner {
    #opened: loopscope.EventLoop | null = null

    constructor(options?: RunOptions) {
      super(withDefaults(options))
    }

    override close(): Promise<void> {
      const loop = this.#opened
      if (loop instanceof EventLoop) loop.closing = true
      return super.close()
    }

    override getLoop(): loopscope.EventLoop {
      return this.#opened = super.getLoop()
    }
  }

  function run<T>(main: Coroutine<T>, options?: RunOptions): Promise<T> {
    runs++
    const runner = new Runner(options)
    const result = finish(runner, runner.run(main))
    const ended = result.then(() => {}, () => {}).finally(() => going.delete(ended))
    going.add(ended)
    return result
  }

  return {
    api: { ...loopscope, EventLoop, Runner, run },
    get runs() {
      return runs
    },
    get idle() {
      for (const loop of open) if (loop.isClosed()) open.delete(loop)
      return open.size > 0 && [...open].every((loop) => loop.idle)
    },
    taskId: () => {
      const { task, loop } = running
      return task === null ? null : task.id + (loop instanceof EventLoop ? loop.number * STRIDE : 0)
    },
    run: (main) => run(main, { name: 'main' }),
    settled: async () => {
      while (going.size > 0) await Promise.all(going)
    },
  }
}

async function finish<T>(runner: loopscope.Runner, result: Promise<T>): Promise<T> {
  try {
    return await result
  } finally {
    await runner.close()
  }
}
