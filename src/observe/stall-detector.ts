// Detects a blocked thread while it is still blocked and reports what blocks it; afterwards, what was delayed and for how
// long. It reads only the shared header and asks the thread nothing.
import type { Frame, Victim } from '../events/schema.ts'
import { CALLBACK, candidatesOf, MOST_VICTIMS, totalOf, victimsOf, type Candidate } from '../events/stalls.ts'
import type { Model } from '../events/model.ts'
import type { Decoder, Block } from './decode.ts'
import type { SchedulingDelay } from './scheduling-delay.ts'
import { stamp, type Timed } from '../events/builder.ts'
import type { Taken } from './stacks.ts'
import { StackSamples, type Verdict } from './stack-samples.ts'
import { BEAT_SECONDS, HOLDER, MOST_BLOCKS, NUMBER, taskOf, WORD, type View } from '../probe/layout.ts'

/** A stall that goes on is reported again after this many seconds. */
const AGAIN = 0.1
/** Requests that arrived during a stall are read right after it. The stall is reported without them after this many seconds. */
const SETTLE_SECONDS = 0.06
/** A poll this many seconds late says more about the machine than about the watched thread. */
const LATE = 0.02
/** The name for code that nothing identifies. */
const UNKNOWN = 'code outside of the event loop'
const PAUSED = 'a pause in the debugger'
/** The next stack of a blocked thread is taken after this many seconds, and later each time the stall has doubled. */
const ASK_AGAIN = 0.05
/** The most characters of the names of all victims. */
const MOST_NAMES = 64 * 1024

/** A stall that is over. */
interface Stall extends Block {
  seconds: number
  stack?: Frame[]
  victims: Victim[]
  lost: number
}

/** It is reported when its victims are known. */
interface Over extends Stall {
  until: number
  candidates: Candidate[]
  samples: StackSamples
  /** How many of its seconds the thread had no processor. */
  starved: number
}

export interface StallOptions {
  view: View
  decoder: Decoder
  model: Model
  /** Time without a processor is not a stall. */
  schedulingDelay: SchedulingDelay
  /** From this many seconds on, the thread counts as blocked. */
  threshold: number
  /** Seconds on the loop's clock. */
  now: () => number
  emit: (event: Timed<'loop.blocked' | 'loop.unblocked'>) => void
  /** Takes the stack of the blocked thread. */
  takeStack: () => Promise<Taken | null>
  /** Decodes all records of the probe, which is not writing. */
  catchUp: () => void
}

interface Blocked extends Block {
  /** The edge count of known code; 0 for unknown code. */
  step: number
  reportedAt: number
  samples: StackSamples
  candidates: Candidate[]
}

export class StallDetector {
  readonly #options: StallOptions
  #blocked: Blocked | null = null
  #over: Over | null = null
  #expected = Infinity
  /** The beginning of the block that was given a moment to end. */
  #gotMoment = -1
  /** Blocks that began before this have been reported. */
  #since = 0
  /** The heartbeat at the last poll. */
  #beat = 0
  /** How many blocks of unknown code have been read from the header. */
  #blocks: number

  constructor(options: StallOptions) {
    this.#options = options
    this.#blocks = options.view.words[WORD.blocks] as number
  }

  /** Whether the thread is blocked right now. */
  get blocked(): boolean {
    return this.#blocked !== null
  }

  /** Reads the header; returns the seconds until the next poll at the latest. */
  poll(): number {
    const { view: { numbers }, threshold, schedulingDelay, now: clock } = this.#options
    const now = clock()
    const late = now - this.#expected > LATE
    // The heartbeat must be read first: it is written last.
    const beat = numbers[NUMBER.beat] as number
    this.#readBlocks()
    const next = this.#judge(now, late, numbers[NUMBER.since] as number, beat)
    // Code that began after the previous heartbeat may have ended just now; its record will ask about this time.
    schedulingDelay.note(now, this.#beat)
    this.#beat = beat
    if (this.#over !== null && now >= this.#over.until) this.#settle()
    const again = Math.min(next, threshold, this.#over === null ? Infinity : this.#over.until - now)
    this.#expected = now + again
    return again
  }

  #judge(now: number, late: boolean, since: number, beat: number): number {
    const { threshold, view: { words } } = this.#options
    const step = words[WORD.step] as number
    const known = (step & 1) === 1
    const blocked = this.#blocked
    if (blocked !== null) {
      if (this.#goesOn(blocked)) {
        const left = blocked.reportedAt + AGAIN + this.#missing(blocked, now) - now
        if (left > 0) return Math.max(0.001, left)
        this.#report(blocked, now)
        return AGAIN
      }
      // The end of known code has a record, which is on its way unless it was lost. The end of unknown code is in the header.
      const overdue = (blocked.step === 0 && !known) || now > blocked.reportedAt + AGAIN + SETTLE_SECONDS
      if (overdue) this.#end({ ...blocked, to: beat > blocked.from ? Math.min(beat, now) : now })
      return BEAT_SECONDS
    }
    // On average the thread was stopped half an interval after its last heartbeat.
    const from = known ? since : Math.max(beat + BEAT_SECONDS / 2, this.#since)
    if (beat === 0) return BEAT_SECONDS
    const left = from + threshold - now + (now - from > threshold / 2 ? this.#excused(known, from, now) : 0)
    if (left > 0) return Math.max(0.0005, Math.min(BEAT_SECONDS, left))
    // The whole machine may have been stopped: the thread gets a moment to continue, as this one just did. Only once, because
    // every poll is late on a machine with too few processors.
    if (late && this.#gotMoment !== from) {
      this.#gotMoment = from
      return 0.005
    }
    this.#begin(known ? step : 0, from, now)
    return AGAIN
  }

  /** Whether the same code as before still blocks the thread. */
  #goesOn({ step, from }: Blocked): boolean {
    const { words, numbers } = this.#options.view
    if (step !== 0) return words[WORD.step] === step
    return ((words[WORD.step] as number) & 1) === 0 && (numbers[NUMBER.beat] as number) < from
  }

  /** How many seconds of the current block are due to the machine, not the program. */
  #excused(known: boolean, from: number, now: number): number {
    const { schedulingDelay } = this.#options
    const starved = schedulingDelay.present(from, now)
    return known && !schedulingDelay.excuses(from, now, starved) ? 0 : starved
  }

  /** How many seconds of a block that goes on do not count. */
  #missing({ name, from, samples }: Blocked, now: number): number {
    return nobody(name, samples.last) ? this.#options.schedulingDelay.present(from, now) : 0
  }

  #begin(step: number, from: number, now: number): void {
    const { catchUp, decoder, view } = this.#options
    const { words } = view
    catchUp()
    const holder = step === 0 ? 0 : words[WORD.holder]
    const task = step === 0 ? 0 : taskOf(view)
    const request = holder === HOLDER.request ? (words[WORD.subject] as number) >>> 0 : decoder.scopeOf(task).request ?? 0
    // The thread may have continued in the meantime.
    if (step !== 0 && words[WORD.step] !== step) return
    if (task !== 0) decoder.begun(task, from)
    const name = task !== 0 ? decoder.nameOf(task) : request !== 0 ? decoder.requestName(request)
      : holder === HOLDER.callback ? decoder.textOf(words[WORD.subject] as number) || CALLBACK : UNKNOWN
    const blocked: Blocked = {
      from, to: now, name, step, reportedAt: now, samples: new StackSamples(), candidates: [],
      ...(task === 0 ? {} : { task }), ...(request === 0 ? {} : { request }),
    }
    blocked.candidates = this.#candidates(task)
    this.#blocked = blocked
    if (this.#over !== null) this.#settle()
    this.#report(blocked, now)
    this.#askForStack(blocked)
  }

  #candidates(culprit: number | null): Candidate[] {
    const { tasks, requests } = this.#options.model
    return candidatesOf(tasks.values(), requests, culprit)
  }

  /** Takes stacks repeatedly: a later one may show other code than an earlier one. */
  #askForStack(blocked: Blocked): void {
    const { takeStack, now, schedulingDelay } = this.#options
    const { samples } = blocked
    const asked = now()
    samples.ask(asked)
    takeStack().then((taken) => {
      samples.answer(taken, taken === null ? asked : taken.at / 1000, schedulingDelay.since(asked, now()))
      if (taken === null || this.#blocked !== blocked) return
      // If the block is over, its end decides which stacks belong to it.
      if (this.#goesOn(blocked)) this.#report(blocked, now())
      const wait = Math.max(ASK_AGAIN, now() - blocked.from)
      setTimeout(() => {
        if (this.#blocked === blocked) this.#askForStack(blocked)
      }, wait * 1000).unref()
    }, () => {})
  }

  /** The facts of a stall, completed by its stacks. */
  #explain(block: Block, samples: StackSamples, verdict: Verdict | null): Block & { stack?: Frame[] } {
    const stack = verdict === null || verdict.frames.length === 0 ? {} : { stack: verdict.frames }
    const named = { ...block, ...stack, ...(samples.paused ? { name: PAUSED } : {}) }
    if (block.name !== UNKNOWN || samples.paused || verdict === null) return named
    const { origin, name } = verdict
    if (origin !== undefined) return { ...named, name: origin.name, ...(origin.id === 0 ? {} : { request: origin.id }) }
    return name === null ? named : { ...named, name }
  }

  #report(blocked: Blocked, now: number): void {
    const seconds = now - blocked.from - this.#missing(blocked, now)
    // Times are multiples from the beginning, so that one late poll does not delay all later reports.
    blocked.reportedAt = Math.max(blocked.reportedAt, blocked.from + seconds - ((seconds - this.#options.threshold) % AGAIN))
    this.#emitBlocked(this.#explain(blocked, blocked.samples, blocked.samples.last), now, seconds)
  }

  #emitBlocked(block: Block & { stack?: Frame[] }, t: number, seconds: number): void {
    this.#options.emit({
      type: 'loop.blocked', t: stamp(t), ...ofBlock(block), name: block.name, since: stamp(block.from), seconds: stamp(seconds),
      ...(block.stack === undefined ? {} : { stack: block.stack }),
    })
  }

  /** The step of a task ended. */
  stepped(task: number, from: number, to: number): void {
    if (to - from < this.#options.threshold && this.#blocked?.from !== from) return
    const { request } = this.#options.decoder.scopeOf(task)
    this.ended({ from, to, name: this.#options.decoder.nameOf(task), task, ...(request === undefined ? {} : { request }) })
  }

  /** Known code blocked the thread and has ended. */
  ended(block: Block): void {
    this.#readBlocks(block.from)
    this.#ended(block)
  }

  /** Reads from the header which unknown code blocked the thread before this time. */
  #readBlocks(until = Infinity): void {
    const { words, numbers } = this.#options.view
    const count = Atomics.load(words, WORD.blocks)
    for (let index = Math.max(this.#blocks, count - MOST_BLOCKS); index < count; index++) {
      const at = NUMBER.blocks + 2 * (index % MOST_BLOCKS)
      const to = numbers[at + 1] as number
      if (to > until) return
      this.#blocks = index + 1
      this.#ended({ from: numbers[at] as number, to, name: '' })
    }
  }

  #ended(block: Block): void {
    const blocked = this.#blocked
    const { threshold, schedulingDelay, now } = this.#options
    if (blocked === null) {
      const { from, to, task, request } = block
      if (to - from < threshold) return
      const starved = schedulingDelay.since(from, now())
      const unknown = task === undefined && request === undefined
      if (unknown ? to - from - starved < threshold : schedulingDelay.excuses(from, to, starved)) return
    }
    // Unknown code may turn out to be known, and the other way round: if the two overlap, they are the same stall.
    if (blocked !== null && block.from < blocked.reportedAt && block.to > blocked.from) {
      const known = block.name !== ''
      const from = blocked.step !== 0 ? blocked.from : known ? Math.min(blocked.from, block.from) : block.from
      this.#end({ ...blocked, ...(known ? block : {}), from, to: block.to })
    } else if (block.from >= this.#since) {
      // It was over before it was detected, because this thread had to wait itself.
      const name = block.name === '' ? UNKNOWN : block.name
      this.#emitBlocked({ ...block, name }, block.to, block.to - block.from)
      this.#end({ ...block, name, samples: new StackSamples(), candidates: this.#candidates(block.task ?? null) })
    }
  }

  #end(blocked: Block & { samples: StackSamples; candidates: Candidate[] }): void {
    if (this.#over !== null) this.#settle()
    this.#blocked = null
    const { schedulingDelay, now } = this.#options
    const { from, to, name, samples, candidates, task, request } = blocked
    this.#since = to
    this.#over = {
      from, to, name, ...ofBlock({ task, request }), seconds: to - from, victims: [], lost: 0, candidates, samples,
      starved: Math.min(to - from, schedulingDelay.since(from, now())), until: to + SETTLE_SECONDS,
    }
  }

  /** A stall may have delayed the request that was read at `t` by this many seconds. */
  waited(request: number, seconds: number, t: number): void {
    this.#readBlocks(t)
    const over = this.#over
    if (over === null || request === over.request) return
    const lost = Math.min(over.to - (t - seconds), secondsOf(over))
    if (lost <= 0) return
    over.lost += lost
    if (over.victims.length < MOST_VICTIMS) over.victims.push({ request, name: this.#options.decoder.requestName(request), seconds: stamp(lost) })
  }

  /** All input that arrived during the stall has been read. */
  settled(): void {
    // A stack that was taken before the end may still arrive.
    if (this.#over !== null && !this.#over.samples.asking) this.#settle()
  }

  /** Events were lost: it is no longer known what was delayed. */
  forget(): void {
    if (this.#over !== null) this.#settle()
    this.#since = this.#options.now()
  }

  #settle(): void {
    const over = this.#over
    if (over === null) return
    this.#over = null
    const { candidates, samples, ...stall } = over
    const { from } = stall
    const seconds = secondsOf(over)
    const said = this.#explain(stall, samples, samples.conclude(from, over.to))
    const delayed = victimsOf(candidates, from, from + seconds, said.request ?? null)
    let names = 0
    const victims = [...delayed, ...over.victims].slice(0, MOST_VICTIMS).filter(({ name }) => (names += name.length) <= MOST_NAMES)
      .map((victim) => ({ ...victim, seconds: stamp(victim.seconds) }))
    const done: Stall = { ...said, victims, lost: stamp(totalOf(delayed) + over.lost), seconds: stamp(seconds) }
    const { now, emit } = this.#options
    emit({
      type: 'loop.unblocked', t: stamp(now()), ...ofBlock(done), seconds: done.seconds, victims, lost: done.lost, name: done.name,
      since: stamp(from), ...(done.stack === undefined ? {} : { stack: done.stack }),
    })
  }
}

function ofBlock({ task, request }: { task?: number | undefined; request?: number | undefined }): { task?: number; request?: number } {
  return { ...(task === undefined || task === 0 ? {} : { task }), ...(request === undefined || request === 0 ? {} : { request }) }
}

/**
 * Whether nothing shows that the program caused a stall: the code is unknown and no stack was taken. Then the time in which the
 * thread had no processor does not count. A program that blocks on a busy machine shows a stack sooner or later.
 */
function nobody(name: string, verdict: Verdict | null): boolean {
  return name === UNKNOWN && verdict === null
}

function secondsOf({ from, to, name, samples, seconds, starved }: Over): number {
  return nobody(name, samples.conclude(from, to)) ? seconds - starved : seconds
}
