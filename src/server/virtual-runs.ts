// Runs in virtual time, each on its own loop, driven by the host beside the server's loop. They never wait for time to pass,
// so only a few compute at once, and each waits for its reader. This limits their share of the thread and of memory.
import type { Coroutine } from '../runtime/coroutine.ts'
import type { Context } from '../runtime/context.ts'
import type { Pace, Program, Run, RunOutcome } from './run.ts'
import { CancelledError } from '../runtime/exceptions.ts'
import { fromPromise } from '../runtime/from-host.ts'
import { EventLoop } from '../runtime/loop.ts'
import { run as runLoop } from '../runtime/runner.ts'
import { currentTask } from '../runtime/tasks.ts'
import { stamp } from '../events/builder.ts'
import { Recorder } from '../events/recorder.ts'
import { Refusal } from '../http/refusals.ts'
import { PacedClock } from './paced-clock.ts'
import { contextOf } from './run.ts'
import { Slots } from '../http/slots.ts'

const MOST_AT_ONCE = 4
const MOST_WAITING = 100
/** A run whose reader has taken nothing for this long gives its slot to another. */
const STALLED_MS = 1000
/** The most runs that may wait for their readers: each keeps what it has printed. Beyond that, the one that has waited longest is cancelled. */
const MOST_STALLED = 16
/** With more items than this, an example's run does not record locations. */
const MOST_PLACED_ITEMS = 60

export class VirtualRuns {
  readonly #slots = new Slots(MOST_AT_ONCE)
  readonly #admitted = new Set<Run>()
  readonly #stalled = new Set<Run>()

  /** Throws a 503 if too many wait for a slot. */
  admit(run: Run): void {
    const most = MOST_AT_ONCE + MOST_WAITING
    if (this.#admitted.size - this.#stalled.size >= most) {
      throw new Refusal('too-many-runs', `${most} runs in virtual time are under way or wait (${MOST_AT_ONCE} run at once), which is the limit: try again when one has ended`)
    }
    this.#admitted.add(run)
  }

  /** An admitted run has ended, or will not begin. */
  leave(run: Run): void {
    this.#admitted.delete(run)
  }

  /** Runs an admitted run to its end. Cancelling this cancels the run. */
  *follow(run: Run, program: Program): Coroutine<void> {
    const clock = new PacedClock()
    const context = contextOf((text) => run.print({ t: stamp(clock.now()), task: currentTask()?.getName() ?? '', text }))
    let outcome: RunOutcome = 'returned'
    let failure: unknown = null
    try {
      yield* fromPromise(async (left) => {
        // Not within the server's loop: two loops cannot run within each other.
        await new Promise((resolve) => setImmediate(resolve))
        const signal = AbortSignal.any([left, run.controller.signal])
        const taken = await this.#slots.take(signal)
        const slot = new RunSlot(run, clock, signal, { slots: this.#slots, stalled: this.#stalled, taken })
        run.pace = slot
        try {
          [outcome, failure] = await drive(run, program, { clock, context, signal })
        } finally {
          slot.end()
        }
      })
    } catch (error) {
      outcome = 'cancelled'
      throw error
    } finally {
      run.end(outcome, clock.now(), failure)
    }
  }
}

/**
 * The state of a run among the others: it has a slot while it computes, pauses while its reader does not read, and gives the
 * slot back if that takes long.
 */
class RunSlot implements Pace {
  readonly #run: Run
  readonly #clock: PacedClock
  readonly #signal: AbortSignal
  readonly #slots: Slots
  readonly #stalled: Set<Run>
  #state: 'computes' | 'pauses' | 'stalls' | 'returns' | 'ends' = 'computes'
  #hasSlot: boolean
  #timer: NodeJS.Timeout | undefined

  constructor(run: Run, clock: PacedClock, signal: AbortSignal, { slots, stalled, taken }: { slots: Slots; stalled: Set<Run>; taken: boolean }) {
    this.#run = run
    this.#clock = clock
    this.#signal = signal
    this.#slots = slots
    this.#stalled = stalled
    this.#hasSlot = taken
    // A run that is cancelled does not wait for its reader: it cleans up and ends.
    if (signal.aborted) this.#release()
    else signal.addEventListener('abort', this.#release, { once: true })
  }

  pause(): void {
    if (this.#state !== 'computes') return
    this.#state = 'pauses'
    this.#clock.pause()
    this.#timer = setTimeout(this.#stall, STALLED_MS).unref()
  }

  resume(): void {
    if (this.#state === 'pauses') this.#goOn()
    else if (this.#state === 'stalls') {
      this.#stalled.delete(this.#run)
      this.#state = 'returns'
      void this.#slots.take(this.#signal, true).then((taken) => this.#returned(taken))
    }
  }

  /** The run is over. */
  end(): void {
    this.#signal.removeEventListener('abort', this.#release)
    this.#release()
    if (this.#hasSlot) this.#slots.give()
    this.#hasSlot = false
  }

  #goOn(): void {
    clearTimeout(this.#timer)
    this.#state = 'computes'
    this.#clock.resume()
  }

  readonly #stall = (): void => {
    this.#state = 'stalls'
    this.#hasSlot = false
    this.#slots.give()
    this.#stalled.add(this.#run)
    const [longest] = this.#stalled
    if (this.#stalled.size > MOST_STALLED) longest?.cancel('its client reads too slowly')
  }

  #returned(taken: boolean): void {
    if (!taken) return
    // It may have been cancelled, and may even have ended, since the slot was granted.
    if (this.#state !== 'returns') {
      this.#slots.give()
      return
    }
    this.#hasSlot = true
    this.#goOn()
  }

  readonly #release = (): void => {
    this.#stalled.delete(this.#run)
    clearTimeout(this.#timer)
    this.#state = 'ends'
    this.#clock.resume()
  }
}

/** Drives a run's loop to its end and records what it does; returns how it ended. */
async function drive(
  run: Run, { main, parameters, example }: Program, { clock, context, signal }: { clock: PacedClock; context: Context; signal: AbortSignal },
): Promise<[RunOutcome, unknown]> {
  const loop = new EventLoop({ clock, hold: false, debug: isShort(parameters) })
  // A failure is the run's outcome. Unretrieved errors of its tasks do not belong in the server's log.
  loop.setExceptionHandler(() => {})
  // The run keeps its events itself, so the recorder's history is as short as possible.
  const recorder = new Recorder(loop, { name: `run-${run.id}`, pid: process.pid, history: 0 })
  // The runner has its own tasks at the end, which belong to no run.
  recorder.listen((event) => {
    if (event.run !== undefined) run.onEvent(event)
  })
  const marker = { run: run.id, example, parameters }
  let outcome: RunOutcome = 'returned'
  let failure: unknown = null
  recorder.record({ type: 'run.started', ...marker })
  recorder.nextTask({ run: run.id })
  try {
    await runLoop(main(), { loopFactory: () => loop, context, name: 'main', signal })
  } catch (error) {
    outcome = error instanceof CancelledError ? 'cancelled' : 'raised'
    failure = error
  }
  recorder.record({ type: 'run.finished', ...marker, outcome })
  return [outcome, failure]
}

/** Whether a run is short enough to record the location of each wait, which takes a stack each time. */
function isShort({ producers, items }: Program['parameters']): boolean {
  return Number(producers ?? 1) * Number(items ?? 1) <= MOST_PLACED_ITEMS
}
