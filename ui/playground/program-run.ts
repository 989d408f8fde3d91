// One run of a program, as the page sees it. Its events go into a Recording; pings check its thread, and a thread that is
// blocked for too long is ended. Messages of the thread are only treated as data.
import type { LoopEvent } from '../../src/events/schema.ts'
import { Recording } from '../recording.ts'
import { Intake } from '../intake.ts'
import type { Failure, FromGate, Item, Place, Program, StepOptions, Stop } from './messages.ts'
import type { Line } from './sandbox.ts'
import type { Threads } from './threads.ts'

export type { Program } from './messages.ts'

/** Milliseconds between two pings, and without an answer until the thread counts as blocked. */
const PULSE = 100
const HELD = 300
/** How long (ms) a cancelled program may take to stop. */
const GRACE = 600
const MOST_REPORTS = 200
/** The most tasks whose lanes are kept. */
export const MOST_LANES = 20_000

export interface Held {
  /** How long so far. */
  seconds: number
  /** The task that blocks the thread; null if it is unknown or no task does. */
  task: string | null
  place: Place | null
}

export interface Ending {
  outcome: 'returned' | 'raised' | 'cancelled' | 'ended'
  failure: Failure | null
  note: string | null
  /** Set if the thread was blocked when it was ended. */
  held: Held | null
}

/** How far a stepped program runs: to the next line of any task, of the same task, or to the next breakpoint. */
export type Goal = 'line' | 'task' | 'breakpoint'

export interface ProgramRunOptions {
  program: Program
  /** Set if the modules were compiled for stepping: how far the program runs at first, and the lines of the breakpoints at any time. */
  steps?: { goal: Goal; breakpoints: () => number[] }
  clock: 'real' | 'virtual'
  /** In virtual time, the second at which a program that has not ended is cancelled. */
  until: number
  /** Seconds for which the thread may be blocked. */
  patience: number
  /** Called after every change. */
  onChange: () => void
}

export class ProgramRun {
  readonly recording: Recording
  readonly clock: 'real' | 'virtual'
  /** Lines that were printed outside of any loop, with the number of loops' lines before each. */
  readonly loose: { text: string; after: number }[] = []
  readonly reports: Failure[] = []
  state: 'starting' | 'running' | 'ended' = 'starting'
  /** The line before which a stepped program is stopped. Its thread is ahead of this: the page takes in nothing more for now. */
  stop: Stop | null = null
  /** At the last sign of life, no timer was set and no task waited for the host. */
  idle = false
  ending: Ending | null = null
  /** Messages that the gate refused. */
  refused = 0
  readonly #threads: Threads
  readonly #options: ProgramRunOptions
  #line: Line | null = null
  readonly #intake: Intake<Item>
  /** The gate waits until the last batch is processed. */
  #owed = false
  #timers: ReturnType<typeof setInterval>[] = []
  #seq = 0
  #pings = 0
  /** When the unanswered ping was sent. */
  #askedAt: number | null = null
  #reported: Held | null = null
  #held: Held | null = null
  #goal: Goal
  /** The task whose lines are the goal. */
  #goalTask: number | null = null
  /** The thread was ended because it was blocked, while the page was at an earlier line: the seconds, and what it reported. */
  #endedAhead: { seconds: number; reported: Held | null } | null = null

  constructor(threads: Threads, options: ProgramRunOptions) {
    this.#threads = threads
    this.#options = options
    this.clock = options.clock
    this.#goal = options.steps?.goal ?? 'line'
    this.recording = new Recording({ lanes: MOST_LANES })
    this.#intake = new Intake((item) => this.#take(item), () => this.#rest())
  }

  /** What blocks the thread; null also while the program is stopped at an earlier line. */
  get held(): Held | null {
    return this.stop === null ? this.#held : null
  }

  /** Whether it can be stepped: it was compiled for it, and has not ended. */
  get stepped(): boolean {
    return this.#options.steps !== undefined && this.state !== 'ended'
  }

  /** Starts the thread; throws an Error with the reason if that fails. */
  async start(): Promise<void> {
    const { program, clock, until } = this.#options
    const line = await this.#threads.open({ type: 'start', program, clock, until, steps: this.#steps() }, (message) => this.#receive(message))
    if (this.state === 'ended') {
      line.end()
      return
    }
    this.#line = line
    this.#timers.push(setInterval(() => this.#feel(), PULSE))
  }

  /** Runs a stepped program on, to this goal. */
  go(goal: Goal): void {
    if (!this.stepped) return
    const { stop } = this
    this.#goal = goal
    this.#goalTask = stop?.task ?? null
    this.stop = null
    // Not after a stop: the page first takes what was recorded after it.
    if (stop === null) this.#more()
    this.#intake.resume()
    this.#options.onChange()
  }

  /** Ends the thread at once, for this reason. */
  end(note: string): void {
    this.#end({ outcome: 'ended', failure: null, note, held: null })
  }

  /** Cancels the program as Ctrl-C would, and ends its thread if that does not help, or if it is ahead of what is shown. */
  cancel(): void {
    if (this.state === 'ended') return
    if (this.state === 'starting' || this.stop !== null || this.held !== null) {
      this.#end({ outcome: 'ended', failure: null, note: null, held: this.held })
      return
    }
    this.#line?.send({ type: 'cancel', reason: 'Stopped: its main task was cancelled, as by Ctrl-C.' })
    this.#timers.push(setTimeout(() => this.#end({ outcome: 'ended', failure: null, note: 'It did not stop when it was cancelled.', held: this.held }), GRACE))
  }

  #receive({ items, refused, over }: FromGate): void {
    if (this.state === 'ended') return
    this.refused = refused
    if (over !== undefined) {
      this.#end({ outcome: 'ended', failure: null, note: over, held: null })
      return
    }
    const [first] = items
    // These two are about this moment, so they overtake what waits in the intake.
    if (first?.type === 'pong' || first?.type === 'held') this.#take(first)
    else {
      this.#owed = true
      this.#intake.push(...items)
    }
    this.#options.onChange()
  }

  #rest(): void {
    if (this.#owed && this.#intake.length === 0) {
      this.#owed = false
      this.#line?.send({ type: 'more' })
    }
    this.#options.onChange()
  }

  #take(message: Item): void {
    switch (message.type) {
      case 'ready':
        this.state = 'running'
        break
      case 'event':
        // Numbered here, because the page adds events while the thread is blocked.
        this.#add(message.event)
        if (message.event.type === 'task.finished' && message.event.task === this.#goalTask && this.#goal === 'task') this.#goal = 'line'
        break
      case 'stop':
        if (!this.#isGoal(message)) break
        this.stop = message
        this.#intake.pause()
        break
      case 'ahead':
        this.#more()
        break
      case 'line':
        if (this.loose.length < MOST_REPORTS) this.loose.push({ text: message.text, after: this.recording.lines.length })
        break
      case 'held':
        this.#reported = message
        this.#held = message
        break
      case 'pong':
        if (message.count === this.#pings) {
          this.#askedAt = null
          this.#reported = null
          this.#held = null
          this.idle = message.idle
        }
        break
      case 'report':
        if (this.reports.length < MOST_REPORTS) this.reports.push(message.failure)
        break
      case 'ended':
        if (this.#endedAhead !== null) {
          this.#reported = this.#endedAhead.reported
          this.#notice(this.#endedAhead.seconds)
          this.#end({ outcome: 'ended', failure: null, note: null, held: this.#held })
        } else this.#end({ outcome: message.outcome, failure: message.failure, note: message.note, held: null })
        break
    }
  }

  #isGoal({ line, task }: Stop): boolean {
    if (this.#goal === 'line' || (this.#goal === 'task' && task === this.#goalTask)) return true
    return this.#options.steps?.breakpoints().includes(line) === true
  }

  #steps(): StepOptions | null {
    const { steps } = this.#options
    return steps === undefined ? null : { each: this.#goal !== 'breakpoint', breakpoints: steps.breakpoints() }
  }

  /** Lets the thread run on from its last pause. */
  #more(): void {
    const steps = this.#steps()
    if (steps !== null) this.#line?.send({ type: 'go', steps })
  }

  /** Sends a ping, or measures how long the last one has been unanswered. */
  #feel(): void {
    if (this.state !== 'running' || this.#endedAhead !== null) return
    const now = performance.now()
    if (this.#askedAt === null) {
      this.#askedAt = now
      this.#line?.send({ type: 'ping', count: ++this.#pings })
      return
    }
    const seconds = (now - this.#askedAt) / 1000
    if (seconds * 1000 < HELD) return
    if (this.stop !== null) {
      // The lines that it has sent can still be stepped.
      if (seconds < this.#options.patience) return
      this.#endedAhead = { seconds, reported: this.#reported }
      this.#line?.close()
      return
    }
    if (this.#reported === null || seconds - this.#reported.seconds > 1) this.#notice(seconds)
    if (Math.max(seconds, this.held?.seconds ?? 0) >= this.#options.patience) {
      this.#end({ outcome: 'ended', failure: null, note: null, held: this.held })
      return
    }
    this.#options.onChange()
  }

  /** The thread is blocked and cannot report it, so the page adds the event from what the recording shows. */
  #notice(seconds: number): void {
    const { recording } = this
    const holder = recording.holder
    const last = this.#reported
    const place = last?.place ?? null
    this.#held = { seconds, task: last === null ? holder?.lane.name ?? null : last.task, place }
    if (holder === null) return
    const since = this.clock === 'virtual' ? recording.to : holder.since
    this.#add({
      type: 'loop.blocked', seq: 1, t: this.clock === 'virtual' ? recording.to : since + seconds, loop: 'playground', task: holder.lane.id, name: holder.lane.name,
      since, seconds, ...(place === null ? {} : { stack: [place] }),
    })
  }

  #add(event: LoopEvent): void {
    this.recording.apply({ ...event, seq: ++this.#seq })
  }

  #end(ending: Ending): void {
    if (this.state === 'ended') return
    this.state = 'ended'
    this.ending = ending
    this.#held = null
    this.stop = null
    for (const timer of this.#timers) clearInterval(timer)
    this.#intake.clear()
    this.#line?.end()
    const { recording } = this
    const { holder } = recording
    let t = recording.to
    // Tasks that were alive ended with their thread.
    if (ending.held !== null && holder !== null) t = Math.max(t, holder.since + ending.held.seconds)
    if (!recording.loopClosed && !recording.empty) this.#add({ type: 'loop.closed', seq: 1, t, loop: 'playground', name: 'playground', pid: 0, clock: this.clock })
    this.#options.onChange()
  }
}
