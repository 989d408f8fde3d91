// Reports what blocks the thread while it is blocked: from loops of the program, where the compiler has inserted a call of
// `held`, and from blocking calls. Only the page can notice other blocking.
import type { Instrument } from '../../../src/runtime/instruments.ts'
import type { Task } from '../../../src/runtime/task.ts'
import type { Recorder } from '../../../src/events/recorder.ts'
import { stamp } from '../../../src/events/builder.ts'
import { AMBER, CALLBACK } from '../../../src/events/stalls.ts'
import type { Place } from '../messages.ts'
import type { Outbox } from './outbox.ts'
import type { Sources } from './failure.ts'

/** Milliseconds until a step is a stall, and between two reports of it. */
const STALL = AMBER * 1000
/** The clock is read once in this number of rounds. */
const ROUNDS = 128

export class Watch {
  readonly #outbox: Outbox
  readonly #sources: Sources
  #recorder: Recorder | null = null
  #task: Task<unknown> | null = null
  /** When the step began, in ms of the thread; NaN between steps. */
  #since: number
  /** The same on the loop's clock, in seconds. */
  #loopSince = 0
  #reportedAt = 0
  #rounds = 0

  constructor(outbox: Outbox, sources: Sources) {
    this.#outbox = outbox
    this.#sources = sources
    this.#since = performance.now()
  }

  /** The instrument for one loop of the program. */
  of(recorder: Recorder): Instrument {
    const begin = (task: Task<unknown> | null): void => this.#begin(recorder, task)
    const end = (): void => this.#end()
    return {
      taskRunning: begin, taskSuspended: end, taskFinished: end,
      callbackRunning: () => begin(null), callbackFinished: end,
    }
  }

  /** The program runs another round of the loop at this line. */
  readonly held = (line: number): void => {
    if (++this.#rounds % ROUNDS !== 0) return
    const now = performance.now()
    if (!(now - this.#since >= STALL) || now - this.#reportedAt < STALL) return
    const [frame] = this.#sources.stack(new Error('held').stack)
    // A virtual clock does not move meanwhile, so the stall began at its current time.
    this.#report((now - this.#since) / 1000, this.#loopSince, { function: frame?.function ?? '', file: frame?.file ?? 'program.ts', line, column: frame?.line === line ? frame.column : 1 })
  }

  /** A call has blocked the thread for this number of seconds. */
  blocking(seconds: number): void {
    if (seconds * 1000 < STALL) return
    const stack = this.#sources.stack(new Error('blocked').stack)
    const loop = this.#recorder?.loop
    this.#report(seconds, loop?.host.virtual === true ? loop.time() - seconds : this.#loopSince, stack.find(({ file }) => file === 'program.ts') ?? stack[0] ?? null)
  }

  /** Calls `fn`, whose time is not the program's. */
  exclude(fn: () => void): void {
    const from = performance.now()
    fn()
    this.#since += performance.now() - from
  }

  /** The thread processes messages, so no stall goes on. */
  free(): void {
    if (this.#task === null) this.#since = performance.now()
  }

  #begin(recorder: Recorder, task: Task<unknown> | null): void {
    this.#recorder = recorder
    this.#task = task
    this.#since = performance.now()
    this.#loopSince = recorder.loop.time()
    this.#reportedAt = this.#since
  }

  #end(): void {
    this.#task = null
    this.#since = NaN
  }

  #report(seconds: number, since: number, place: Place | null): void {
    const recorder = this.#recorder
    const task = this.#task
    this.#reportedAt = performance.now()
    const name = task?.getName() ?? null
    if (recorder !== null && !Number.isNaN(this.#since)) {
      recorder.record({
        type: 'loop.blocked', name: name ?? CALLBACK, seconds: stamp(seconds), since: stamp(since),
        ...(task === null ? {} : { task: task.id }), ...(place === null ? {} : { stack: [place] }),
      })
    }
    this.#outbox.send({ type: 'held', seconds, task: name, place })
  }
}
