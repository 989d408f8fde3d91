// A loop of another process, as far as it is known from what that process publishes: the same record as for this process'
// loop, with the other's epoch, numbers and clock.
import type { LoopEvent, LoopInfo, LoopState } from '../events/schema.ts'
import { History } from '../events/history.ts'
import { cutText, cutTexts } from '../events/texts.ts'
import { MonitoredLoop, plain } from './monitored-loop.ts'
import { apart, LONGEST_SNAPSHOT, type Beat, type LoopSnapshot, type PublishedRun } from './wire.ts'

/** The names of this many ended tasks are kept. */
const MOST_NAMES = 2000
/** The longest JSON that is kept with its event, in characters. */
const LONGEST_JSON = 16_384
/** The most that is alive, as JSON, in characters: more than the longest snapshot contains. */
const MOST_ALIVE = 2 * LONGEST_SNAPSHOT
/** How far two machines' clocks may drift apart, in seconds for each second. */
const DRIFT = 1e-4

export class RemoteLoop extends MonitoredLoop {
  /** Which life of its name is shown. */
  life: number
  /** Its last report about itself. */
  info: LoopInfo
  /** When it was last seen, in ms since 1970, on this process' clock. */
  seenAt: number
  /** Events that are known to be missing. */
  missed = 0
  received = 0
  readonly #capacity: number
  /** The size of what is alive as JSON, in characters: at the last count, plus all that came since. */
  #alive = 0
  readonly #names = new Map<number, string>()
  /** Its clock minus this process' clock, in seconds: the largest value seen, which comes from the quickest message. */
  #offset = -Infinity
  #offsetAt = 0
  /** Its clock when it was last seen. */
  #last = 0

  constructor(loop: string, snapshot: LoopSnapshot, options: { history: number; keepSeconds: number }) {
    const history = new History(options.history, snapshot.epoch, snapshot.seq)
    super({ loop, history, keepSeconds: options.keepSeconds, origin: snapshot.origin, runs: { mostBytes: history.mostBytes } })
    this.#capacity = options.history
    this.life = snapshot.life
    this.info = snapshot.info
    this.seenAt = Date.now()
    this.since = this.seenAt
    this.state = 'unknown'
    this.#last = snapshot.t
    this.#restore(snapshot)
  }

  /** Estimated seconds on the loop's clock; if the loop is not live, the time when it was last seen. */
  now(): number {
    return this.state === 'live' && this.#offset !== -Infinity ? performance.now() / 1000 + this.#offset : this.#last
  }

  nameOf(task: number): string {
    return this.model.tasks.get(task)?.name ?? this.#names.get(task) ?? `task ${task}`
  }

  /** Applies a batch of events, from one number to another: `gap` if something before it is missing. */
  batch(epoch: string, from: number, to: number, text: string): 'taken' | 'gap' | 'foreign' {
    if (epoch !== this.history.epoch) return 'foreign'
    const { last } = this.history
    if (to <= last) return 'taken'
    if (from > last + 1) return 'gap'
    const events = apart(text, from)
    if (events.length !== to - from + 1 || this.#isTooMuch(text.length)) return 'gap'
    for (const [event, json] of events.slice(last + 1 - from)) {
      if (event.type === 'task.created') this.#remember(event.task, event.name)
      // No process of this version writes longer texts, or JSON with more in it than the event.
      const cut = cutTexts(event)
      this.apply(cut, cut === event && json.length <= LONGEST_JSON ? json : undefined)
      if (event.type === 'loop.closed') this.runs.forget(new Set())
      this.received++
    }
    this.#setClock((events.at(-1) as [LoopEvent, string])[0].t)
    if (this.closed) this.become('closed', Date.now())
    return 'taken'
  }

  /** Notifies subscribers of what was applied. */
  notifyApplied(): void {
    this.notify()
  }

  /** Continues from this snapshot: what lies between is missing. */
  restore(snapshot: LoopSnapshot): void {
    const missing = snapshot.seq - this.history.last
    if (missing <= 0) return
    this.missed += missing
    this.history.skip(missing)
    this.#restore(snapshot)
    this.notify()
  }

  /** Its process has started again. */
  restart(snapshot: LoopSnapshot): void {
    const history = new History(this.#capacity, snapshot.epoch, snapshot.seq)
    this.begin(history, snapshot.origin)
    this.life = snapshot.life
    this.info = snapshot.info
    this.#names.clear()
    this.#offset = -Infinity
    this.#last = snapshot.t
    this.#restore(snapshot)
    this.fanout.restart()
  }

  /** It was seen at this time. */
  seen(at: number): void {
    if (this.state !== 'live') this.seenAt = at
  }

  /** Its heartbeat has arrived. */
  beat({ epoch, seq, t, info, holding }: Beat, now: number): void {
    this.seenAt = now
    if (epoch !== this.history.epoch) return
    this.info = info
    this.#setClock(t)
    // Events are newer, as long as they arrive.
    if (seq >= this.history.last) this.holding = holding
    // It was live while that was not known here; but a loop that counted as lost is live again only from now on.
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

  /** Whether what is alive takes too much memory, together with a batch of this length. */
  #isTooMuch(length: number): boolean {
    this.#alive += length
    if (this.#alive < MOST_ALIVE) return false
    const { tasks, runs, requests } = this.model
    this.#alive = length
    for (const one of [...tasks.values(), ...runs.values(), ...requests.values()]) this.#alive += JSON.stringify(one).length
    return this.#alive >= MOST_ALIVE
  }

  #setClock(t: number): void {
    this.#last = Math.max(this.#last, t)
    const here = performance.now() / 1000
    if (t - here < this.#offset - (here - this.#offsetAt) * DRIFT) return
    this.#offset = t - here
    this.#offsetAt = here
  }

  #restore({ snapshot, runs, stalls, stallCount, blockedSeconds, holding, closed }: LoopSnapshot): void {
    this.model.restore({ ...snapshot, seq: this.history.last })
    this.#alive = 0
    for (const { task, name } of snapshot.tasks) this.#remember(task, name)
    this.runs.restore(runs as PublishedRun[])
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
