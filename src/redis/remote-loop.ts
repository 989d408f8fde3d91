// A loop of another process, as far as it can be told from what that one publishes: the same record as of the own loop,
// with the other's epoch, numbers and clock.
import type { LoopEvent, LoopInfo, LoopState } from '../events/schema.ts'
import { History } from '../events/history.ts'
import { cutText, cutTexts } from '../events/texts.ts'
import { LoopRecord } from '../observe/monitored-loop.ts'
import { LONGEST_PICTURE } from './reads.ts'
import { apart, type Beat, type Picture, type ToldRun } from './wire.ts'

/** Names of tasks that have ended are kept for whoever looks back. */
const MOST_NAMES = 2000
/** JSON of an event that is kept beside it, in characters. */
const LONGEST_JSON = 16_384
/** What is alive, as JSON, in characters: more than the longest picture has of it. */
const MOST_ALIVE = 2 * LONGEST_PICTURE
/** What two machines' clocks may drift apart, in seconds a second. */
const DRIFT = 1e-4

export class RemoteLoop extends LoopRecord {
  /** Which life of its name is shown. */
  life: number
  /** The last that it has said of itself. */
  info: LoopInfo
  /** When it was heard of last, in ms since 1970, on this process' clock. */
  seenAt: number
  /** Events that are known to be missing. */
  missed = 0
  received = 0
  readonly #capacity: number
  /** What is alive, as JSON, in characters: as last counted, and with all that came since. */
  #alive = 0
  readonly #names = new Map<number, string>()
  /** Its clock minus this process', in seconds: the most that was seen, which is what came the quickest way. */
  #offset = -Infinity
  #offsetAt = 0
  /** Its clock when it was heard of last. */
  #last = 0

  constructor(loop: string, picture: Picture, options: { history: number; keepSeconds: number }) {
    const history = new History(options.history, picture.epoch, picture.seq)
    super({ loop, history, keepSeconds: options.keepSeconds, origin: picture.origin, runs: { mostBytes: history.mostBytes } })
    this.#capacity = options.history
    this.life = picture.life
    this.info = picture.info
    this.seenAt = Date.now()
    this.since = this.seenAt
    this.state = 'unknown'
    this.#last = picture.t
    this.#paint(picture)
  }

  /** Seconds on the clock of the loop, as far as it can be told from here; where it is not live, when it was heard of last. */
  now(): number {
    return this.state === 'live' && this.#offset !== -Infinity ? performance.now() / 1000 + this.#offset : this.#last
  }

  nameOf(task: number): string {
    return this.model.tasks.get(task)?.name ?? this.#names.get(task) ?? `task ${task}`
  }

  /** Take in a batch of events, from one number to another: `gap` where something before it is missing. */
  batch(epoch: string, from: number, to: number, text: string): 'taken' | 'gap' | 'foreign' {
    if (epoch !== this.history.epoch) return 'foreign'
    const { last } = this.history
    if (to <= last) return 'taken'
    if (from > last + 1) return 'gap'
    const events = apart(text, from)
    if (events.length !== to - from + 1 || this.#isTooMuch(text.length)) return 'gap'
    for (const [event, json] of events.slice(last + 1 - from)) {
      if (event.type === 'task.created') this.#remember(event.task, event.name)
      // Longer texts, or JSON with more in it than there is in the event, no process of this version writes.
      const cut = cutTexts(event)
      this.take(cut, cut === event && json.length <= LONGEST_JSON ? json : undefined)
      if (event.type === 'loop.closed') this.runs.forget(new Set())
      this.received++
    }
    this.#heard((events.at(-1) as [LoopEvent, string])[0].t)
    if (this.closed) this.become('closed', Date.now())
    return 'taken'
  }

  /** Tell subscribers of what was taken in. */
  told(): void {
    this.notify()
  }

  /** Go on from this picture: what lies between is missing. */
  restore(picture: Picture): void {
    const missing = picture.seq - this.history.last
    if (missing <= 0) return
    this.missed += missing
    this.history.skip(missing)
    this.#paint(picture)
    this.notify()
  }

  /** Its process has begun anew. */
  restart(picture: Picture): void {
    const history = new History(this.#capacity, picture.epoch, picture.seq)
    this.begin(history, picture.origin)
    this.life = picture.life
    this.info = picture.info
    this.#names.clear()
    this.#offset = -Infinity
    this.#last = picture.t
    this.#paint(picture)
    this.fanout.restart()
  }

  /** It was heard of then. */
  seen(at: number): void {
    if (this.state !== 'live') this.seenAt = at
  }

  /** It has given a sign of life. */
  beat({ epoch, seq, t, info, holding }: Beat, now: number): void {
    this.seenAt = now
    if (epoch !== this.history.epoch) return
    this.info = info
    this.#heard(t)
    // What events say is newer, as long as they come.
    if (seq >= this.history.last) this.holding = holding
    // It was live while nobody here could know; but one that was taken for lost is live again from now on.
    if (this.closed) this.become('closed', now)
    else this.become('live', this.state === 'unknown' ? Date.parse(info.since) : now)
  }

  become(state: LoopState, since: number): void {
    if (this.state === state) return
    this.state = state
    this.since = since
    if (state !== 'live') this.holding = null
    this.fanout.announce()
  }

  /** Whether what is alive takes too much memory, with what comes in a batch of this length. */
  #isTooMuch(length: number): boolean {
    this.#alive += length
    if (this.#alive < MOST_ALIVE) return false
    const { tasks, runs, requests } = this.model
    this.#alive = length
    for (const one of [...tasks.values(), ...runs.values(), ...requests.values()]) this.#alive += JSON.stringify(one).length
    return this.#alive >= MOST_ALIVE
  }

  #heard(t: number): void {
    this.#last = Math.max(this.#last, t)
    const here = performance.now() / 1000
    if (t - here < this.#offset - (here - this.#offsetAt) * DRIFT) return
    this.#offset = t - here
    this.#offsetAt = here
  }

  #paint({ snapshot, runs, stalls, stallCount, blockedSeconds, holding, closed }: Picture): void {
    this.model.restore({ ...snapshot, seq: this.history.last })
    this.#alive = 0
    for (const { task, name } of snapshot.tasks) this.#remember(task, name)
    this.runs.restore(runs as ToldRun[])
    const known = new Map(this.stalls.map((stall) => [stall.id, stall]))
    this.stalls = stalls.map((stall) => known.get(stall.id) ?? { ...plain(stall), events: null })
    this.stallCount = stallCount
    this.blockedSeconds = blockedSeconds
    this.holding = holding
    this.closed = closed
  }

  #remember(task: number, name: string): void {
    if (this.#names.size >= MOST_NAMES) this.#names.delete(this.#names.keys().next().value as number)
    this.#names.set(task, cutText(name))
  }
}

/** Without the fields that are there and undefined. */
function plain<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> }
}
