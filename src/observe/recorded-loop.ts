// A loop of a recording (see event-file.ts): an observer that no thread feeds. It has all that the recording says and stays as it
// was at its end.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { streamEvent, type Ability, type LoopEvent, type StreamEvent } from '../events/schema.ts'
import { History } from '../events/history.ts'
import { cutTexts } from '../events/texts.ts'
import { share } from '../probe/layout.ts'
import { Observer } from './observer.ts'
import { SchedulingDelay } from './scheduling-delay.ts'
import { Suspensions } from './suspensions.ts'
import { ThreadWatch } from './thread-watch.ts'

/** The last events are kept; the page does not show more. */
const HISTORY = 100_000
/** Of stalls of this many seconds the surroundings are a trace of their own. */
const KEEP_SECONDS = 0.5
/** The names of this many tasks are kept. */
const MOST_NAMES = 100_000
/** A longer line is no message of a recording. */
const LONGEST_LINE = 64_000_000

export class RecordedLoop extends Observer {
  /** Lines that are no messages: the last one, if the process was killed while it was written. */
  unreadable = 0
  override readonly recorded = true
  override state = 'closed' as const
  #last = 0
  #can: readonly Ability[] = []
  readonly #names = new Map<number, string>()

  constructor() {
    super({
      shared: share(4096), loop: 'recorded', history: 1, blockedSeconds: 1, keepSeconds: KEEP_SECONDS, now: () => 0, origin: 0,
      schedulingDelay: new SchedulingDelay(null), thread: new ThreadWatch(null), suspensions: new Suspensions(null), takeSnapshot: () => null, takeStack: () => Promise.resolve(null),
    })
  }

  /** The time of the last event. */
  override now(): number {
    return this.#last
  }

  override can(): readonly Ability[] {
    return this.#can
  }

  override nameOf(task: number): string {
    return this.#names.get(task) ?? `task ${task}`
  }

  /** Adds what is in this file. Rejects if it cannot be read. */
  async read(path: string): Promise<void> {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      if (line !== '') this.#add(line)
    }
  }

  #add(line: string): void {
    const message = parse(line)
    switch (message?.type) {
      case undefined:
        this.unreadable++
        break
      case 'stream.hello':
        this.#hello(message)
        break
      case 'stream.dropped':
        if (message.snapshot === undefined) break
        this.#skipTo(message.to)
        this.model.restore(message.snapshot)
        break
      case 'stream.bookmark':
      case 'stream.loop':
        break
      default:
        this.#event(message as LoopEvent)
    }
  }

  /** The recording begins, or goes on in another file; or the observer was started again, and nothing of before is valid. */
  #hello({ epoch, seq, snapshot, can = [], origin = 0 }: Extract<StreamEvent, { type: 'stream.hello' }>): void {
    this.#can = [...new Set([...this.#can, ...can])].filter((one) => one === 'tasks' || one === 'requests')
    if (epoch === this.history.epoch) return
    this.begin(new History(HISTORY, epoch, seq), origin)
    if (snapshot === undefined) return
    for (const { task, name } of snapshot.tasks) this.#names.set(task, name)
    // Of a later time, it comes into effect by the events until then.
    if (snapshot.seq === seq) this.model.restore(snapshot)
  }

  #event(event: LoopEvent): void {
    if (event.seq <= this.history.last) return
    this.#skipTo(event.seq - 1)
    this.loop = event.loop
    this.#last = Math.max(this.#last, event.t)
    if (event.type === 'task.created' && this.#names.size < MOST_NAMES) this.#names.set(event.task, event.name)
    const cut = cutTexts(event)
    this.apply(cut)
    this.stats.onEvent(cut)
    if (event.type === 'warning') this.warningCount++
  }

  #skipTo(seq: number): void {
    if (seq > this.history.last) this.history.skip(seq - this.history.last)
  }
}

function parse(line: string): StreamEvent | null {
  if (line.length > LONGEST_LINE) return null
  try {
    return streamEvent.safeParse(JSON.parse(line)).data ?? null
  } catch {
    return null
  }
}
