// One run of a program, as the page sees it: what the gate lets through goes into a Recording, the thread's pulse is felt,
// and a thread that is held too long is ended. The thread's word is never taken for more than data.
import type { LoopEvent } from '../../src/events/schema.ts'
import { Recording } from '../recording.ts'
import { Intake } from '../intake.ts'
import type { CompiledModule, Failure, FromGate, Item, Place } from './messages.ts'
import type { Line, Sandbox } from './sandbox.ts'

/** Milliseconds between two pings; after how long without an answer the thread is taken for held; and when it is ended. */
const PULSE = 100
const HELD = 300
/** How long (ms) a program that was asked to stop may take to do so. */
const GRACE = 600
const MOST_REPORTS = 200
/** Tasks whose lanes are kept. */
export const MOST_LANES = 20_000

export interface Held {
  /** How long so far. */
  seconds: number
  /** The task that holds the thread; null where none does, or nobody knows. */
  task: string | null
  place: Place | null
}

export interface Ending {
  outcome: 'returned' | 'raised' | 'cancelled' | 'ended'
  failure: Failure | null
  note: string | null
  /** Set where the thread was held when it was ended. */
  held: Held | null
}

export interface ProgramRunOptions {
  modules: CompiledModule[]
  clock: 'real' | 'virtual'
  /** In virtual time, the second at which a program that has not ended is cancelled. */
  until: number
  /** Seconds for which the thread may be held. */
  patience: number
  /** Called whenever something has changed. */
  onChange: () => void
}

export class ProgramRun {
  readonly recording: Recording
  readonly clock: 'real' | 'virtual'
  /** Lines that no loop printed, with the number of lines that loops had printed before. */
  readonly loose: { text: string; after: number }[] = []
  readonly reports: Failure[] = []
  state: 'starting' | 'running' | 'ended' = 'starting'
  held: Held | null = null
  ending: Ending | null = null
  /** Messages that the gate did not let through. */
  refused = 0
  readonly #sandbox: Sandbox
  readonly #options: ProgramRunOptions
  #line: Line | null = null
  readonly #intake: Intake<Item>
  /** The gate waits until all that came is taken in. */
  #owed = false
  #timers: ReturnType<typeof setInterval>[] = []
  #seq = 0
  #pings = 0
  /** When the oldest ping without an answer was sent. */
  #askedAt: number | null = null
  #told: Held | null = null

  constructor(sandbox: Sandbox, options: ProgramRunOptions) {
    this.#sandbox = sandbox
    this.#options = options
    this.clock = options.clock
    this.recording = new Recording({ lanes: MOST_LANES })
    this.#intake = new Intake((item) => this.#take(item), () => this.#rest())
  }

  /** Start the thread. An Error says why it could not be. */
  async start(): Promise<void> {
    const { modules, clock, until } = this.#options
    const { default: thread } = await import('virtual:playground/thread')
    const line = await this.#sandbox.start(thread, { type: 'start', modules, clock, until }, (message) => this.#hear(message))
    if (this.state === 'ended') {
      line.end()
      return
    }
    this.#line = line
    this.#timers.push(setInterval(() => this.#feel(), PULSE))
  }

  /** Cancel the program as Ctrl-C would; end its thread if that does not help. */
  stop(): void {
    if (this.state === 'ended') return
    if (this.state === 'starting' || this.held !== null) {
      this.#end({ outcome: 'ended', failure: null, note: null, held: this.held })
      return
    }
    this.#line?.tell({ type: 'cancel', reason: 'Stopped: its main task was cancelled, as by Ctrl-C.' })
    this.#timers.push(setTimeout(() => this.#end({ outcome: 'ended', failure: null, note: 'It did not stop when it was cancelled.', held: this.held }), GRACE))
  }

  #hear({ items, refused, over }: FromGate): void {
    if (this.state === 'ended') return
    this.refused = refused
    if (over !== undefined) {
      this.#end({ outcome: 'ended', failure: null, note: over, held: null })
      return
    }
    const [first] = items
    // These two are about this moment, whatever else waits to be taken in.
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
      this.#line?.tell({ type: 'more' })
    }
    this.#options.onChange()
  }

  #take(message: Item): void {
    switch (message.type) {
      case 'ready':
        this.state = 'running'
        break
      case 'event':
        // Numbered here: the page adds events of its own while the thread is held.
        this.#add(message.event)
        break
      case 'line':
        if (this.loose.length < MOST_REPORTS) this.loose.push({ text: message.text, after: this.recording.lines.length })
        break
      case 'held':
        this.#told = message
        this.held = message
        break
      case 'pong':
        if (message.count === this.#pings) {
          this.#askedAt = null
          this.#told = null
          this.held = null
        }
        break
      case 'report':
        if (this.reports.length < MOST_REPORTS) this.reports.push(message.failure)
        break
      case 'ended':
        this.#end({ outcome: message.outcome, failure: message.failure, note: message.note, held: null })
        break
    }
  }

  /** Ask for a sign of life, and see how long the last one is ago. */
  #feel(): void {
    if (this.state !== 'running') return
    const now = performance.now()
    if (this.#askedAt === null) {
      this.#askedAt = now
      this.#line?.tell({ type: 'ping', count: ++this.#pings })
      return
    }
    const seconds = (now - this.#askedAt) / 1000
    if (seconds * 1000 < HELD) return
    if (this.#told === null || seconds - this.#told.seconds > 1) this.#notice(seconds)
    if (Math.max(seconds, this.held?.seconds ?? 0) >= this.#options.patience) {
      this.#end({ outcome: 'ended', failure: null, note: null, held: this.held })
      return
    }
    this.#options.onChange()
  }

  /** The thread is held and cannot say so itself: say it for it, as far as it is known here. */
  #notice(seconds: number): void {
    const { recording } = this
    const holder = recording.holder
    const last = this.#told
    const place = last?.place ?? null
    this.held = { seconds, task: last === null ? holder?.lane.name ?? null : last.task, place }
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
    this.held = null
    for (const timer of this.#timers) clearInterval(timer)
    this.#intake.clear()
    this.#line?.end()
    const { recording } = this
    const { holder } = recording
    let t = recording.to
    // What was still alive ended with its thread.
    if (ending.held !== null && holder !== null) t = Math.max(t, holder.since + ending.held.seconds)
    if (!recording.loopClosed && !recording.empty) this.#add({ type: 'loop.closed', seq: 1, t, loop: 'playground', name: 'playground', pid: 0, clock: this.clock })
    this.#options.onChange()
  }
}
