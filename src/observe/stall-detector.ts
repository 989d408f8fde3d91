// Detects a blocked thread while it is still blocked and reports what blocks it; afterwards, what was delayed and for how
// long. It reads only the shared header and asks the thread nothing.
import type { Frame, StallFigures, StallKind, Victim } from '../events/schema.ts'
import { CALLBACK, candidatesOf, MOST_VICTIMS, totalOf, victimsOf, type Candidate } from '../events/stalls.ts'
import type { Model } from '../events/model.ts'
import type { Decoder, Block } from './decode.ts'
import type { SchedulingDelay } from './scheduling-delay.ts'
import { stamp, type Timed } from '../events/builder.ts'
import type { Taken } from './stacks.ts'
import { StackSamples, type Verdict } from './stack-samples.ts'
import { kindOf } from './stall-kind.ts'
import { StallProfile } from './stall-profile.ts'
import type { Gap, Suspensions } from './suspensions.ts'
import type { ThreadWatch } from './thread-watch.ts'
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
/** The names for what no code of the program has caused. */
const STARVED = 'no processor for the thread'
const SUSPENDED = 'a stop of the whole process'
/** The name for steps and callbacks that are each too short to be a stall. */
const TOGETHER = 'many steps in a row'
/** A blocked thread is looked at, and its stack taken, after this part of the stall's time, within these bounds in seconds. */
const LOOK_PART = 0.05
const LOOK_SECONDS = { least: 0.01, most: 0.1 }
/** A stack may take this part of the thread's time: a deep one takes long. */
const STACK_PART = 0.05
/** If V8 is between two microtasks there is no stack, and the next attempt follows soon, this many times. */
const SOON_SECONDS = 0.002
const MOST_SOON = 200
/** The most characters of the names of all victims. */
const MOST_NAMES = 64 * 1024

/** A stall that is over. It is reported when its victims are known. */
interface Over extends Block {
  seconds: number
  victims: Victim[]
  lost: number
  until: number
  candidates: Candidate[]
  samples: StackSamples
  figures: StallFigures
  inKernel: boolean
  /** Seconds of garbage collection before it. */
  collected: number
}

export interface StallOptions {
  view: View
  decoder: Decoder
  model: Model
  /** For how long the thread has had no processor. */
  schedulingDelay: SchedulingDelay
  /** What the kernel says about the blocked thread. */
  thread: ThreadWatch
  suspensions: Suspensions
  /** From this many seconds on, the thread counts as blocked. */
  threshold: number
  /** Seconds on the loop's clock. */
  now: () => number
  emit: (event: Timed<'loop.blocked' | 'loop.unblocked'>) => void
  /** Takes the stack of the blocked thread. */
  takeStack: () => Promise<Taken | null>
  /** Decodes all records of the probe, which is not writing. */
  catchUp: () => void
  /** Receives the profile of a stall, right after the event of its end. */
  onProfile: (profile: StallProfile) => void
  /** How many blocks in the header are not its business: earlier ones. */
  blocks: number
}

interface Blocked extends Block {
  /** The edge count of known code; 0 for unknown code. */
  step: number
  /** Known code that is each time too short to be a stall: the loop does not continue after it. */
  together: boolean
  reportedAt: number
  samples: StackSamples
  candidates: Candidate[]
  collected: number
  /** When the kernel was asked last, and when a stack is to be taken next. */
  lookedAt: number
  askAt: number
  /** How many more times a missing stack is asked for soon. */
  soon: number
  /** The name from the stacks that was reported at once; `undefined` before the first stack. */
  named: string | null | undefined
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
  /** Seconds of garbage collection at the last poll. */
  #collected = 0
  /** The whole process was stopped, and no stall explains it yet. */
  #gap: Gap | null = null

  constructor(options: StallOptions) {
    this.#options = options
    this.#blocks = options.blocks
  }

  /** Whether the thread is blocked right now. */
  get blocked(): boolean {
    return this.#blocked !== null
  }

  /** Reads the header; returns the seconds until the next poll at the latest. */
  poll(): number {
    const { view: { numbers, words }, threshold, schedulingDelay, suspensions, now: clock } = this.#options
    const now = clock()
    const late = now - this.#expected > LATE
    // The heartbeat must be read first: it is written last.
    const beat = numbers[NUMBER.beat] as number
    const gap = suspensions.note(now, this.#expected, words[WORD.beats] as number, beat)
    if (gap !== null && gap.to - gap.from >= threshold) this.#gap = gap
    this.#readBlocks()
    const next = this.#judge(now, late, numbers[NUMBER.since] as number, beat)
    if (this.#gap !== null && this.#blocked === null && beat > this.#gap.to) this.#endGap(this.#gap)
    // Code that began after the previous heartbeat may have ended just now; its record will ask about this time.
    schedulingDelay.note(now, this.#beat)
    this.#beat = beat
    if (this.#over !== null && now >= this.#over.until) this.#settle()
    this.#collected = numbers[NUMBER.collected] as number
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
        // A step that is long enough is a stall of its own.
        if (blocked.together && known && now - since >= threshold) {
          this.#end({ ...blocked, to: since })
          return 0.001
        }
        const look = this.#look(blocked, now)
        const left = blocked.reportedAt + AGAIN - now
        if (left > 0) return Math.max(0.001, Math.min(left, look))
        this.#report(blocked, now)
        return look
      }
      // The end of known code has a record, which is on its way unless it was lost. The end of unknown code is in the header.
      const overdue = (blocked.step === 0 && (!known || blocked.together)) || now > blocked.reportedAt + AGAIN + SETTLE_SECONDS
      if (overdue) this.#end({ ...blocked, to: beat > blocked.from ? Math.min(beat, now) : now })
      return BEAT_SECONDS
    }
    if (beat === 0) return BEAT_SECONDS
    // On average the thread was stopped half an interval after its last heartbeat.
    const stopped = Math.max(beat + BEAT_SECONDS / 2, this.#since)
    const together = known && since - stopped >= threshold
    const from = known && !together ? since : stopped
    const left = from + threshold - now
    if (left > 0) return Math.max(0.0005, Math.min(BEAT_SECONDS, left))
    // The whole machine may have been stopped: the thread gets a moment to continue, as this one just did. Only once, because
    // every poll is late on a machine with too few processors.
    if (late && this.#gotMoment !== from) {
      this.#gotMoment = from
      return 0.005
    }
    this.#begin(known && !together ? step : 0, from, now, together)
    return LOOK_SECONDS.least
  }

  /** Whether the same code as before still blocks the thread. */
  #goesOn({ step, from, together }: Blocked): boolean {
    const { words, numbers } = this.#options.view
    if (step !== 0) return words[WORD.step] === step
    return (together || ((words[WORD.step] as number) & 1) === 0) && (numbers[NUMBER.beat] as number) < from
  }

  /** Asks the kernel about the blocked thread, and for its stack; returns the seconds until the next time. */
  #look(blocked: Blocked, now: number): number {
    const { thread } = this.#options
    const every = Math.min(LOOK_SECONDS.most, Math.max(LOOK_SECONDS.least, LOOK_PART * (now - blocked.from)))
    if (now - blocked.lookedAt >= every) {
      thread.look(now)
      blocked.lookedAt = now
    }
    if (now >= blocked.askAt && !blocked.samples.asking) {
      blocked.askAt = now + every
      this.#askForStack(blocked)
    }
    return Math.max(0.001, Math.min(every, blocked.askAt - now))
  }

  /** The whole process was stopped. If a stall explains that, its kind says so. */
  #endGap({ from, to }: Gap): void {
    this.#gap = null
    if (this.#since <= from) this.#ended({ from, to, name: SUSPENDED })
  }

  #begin(step: number, from: number, now: number, together: boolean): void {
    const { catchUp, decoder, view, thread, schedulingDelay } = this.#options
    const { words } = view
    catchUp()
    const holder = step === 0 ? 0 : words[WORD.holder]
    const task = step === 0 ? 0 : taskOf(view)
    const request = holder === HOLDER.request ? (words[WORD.subject] as number) >>> 0 : decoder.scopeOf(task).request ?? 0
    // The thread may have continued in the meantime.
    if (step !== 0 && words[WORD.step] !== step) return
    if (task !== 0) decoder.begun(task, from)
    const name = task !== 0 ? decoder.nameOf(task) : request !== 0 ? decoder.requestName(request)
      : holder === HOLDER.callback ? decoder.textOf(words[WORD.subject] as number) || CALLBACK : together ? TOGETHER : UNKNOWN
    const blocked: Blocked = {
      from, to: now, name, step, together, reportedAt: now, samples: new StackSamples(), candidates: [], collected: this.#collected,
      lookedAt: now, askAt: 0, soon: MOST_SOON, named: undefined,
      ...(task === 0 ? {} : { task }), ...(request === 0 ? {} : { request }),
    }
    blocked.candidates = this.#candidates(task)
    this.#blocked = blocked
    if (this.#over !== null) this.#settle()
    thread.begin(from, now, schedulingDelay, true)
    this.#report(blocked, now)
    this.#look(blocked, now)
  }

  #candidates(culprit: number | null): Candidate[] {
    const { tasks, requests } = this.#options.model
    return candidatesOf(tasks.values(), requests, culprit)
  }

  /** Takes a stack. A later one may show other code than an earlier one. */
  #askForStack(blocked: Blocked): void {
    const { takeStack, now, schedulingDelay } = this.#options
    const { samples } = blocked
    const asked = now()
    samples.ask(asked)
    takeStack().then((taken) => {
      samples.answer(taken, taken === null ? asked : taken.at / 1000, schedulingDelay.since(asked, now()))
      // If the block is over, its end decides which stacks belong to it.
      if (taken === null || this.#blocked !== blocked || !this.#goesOn(blocked)) return
      blocked.askAt = Math.max(blocked.askAt, now() + (taken.took ?? 0) / 1000 / STACK_PART)
      const { last } = samples
      if (last === null) {
        if (blocked.soon-- > 0) blocked.askAt = now() + SOON_SECONDS
      } else if (blocked.named === undefined || (blocked.named === null && last.name !== null)) {
        blocked.named = last.name
        this.#report(blocked, now())
      }
    }, () => {})
  }

  /** The facts of a stall, completed by its stacks and its kind. */
  #explain(block: Block, samples: StackSamples, verdict: Verdict | null, kind: StallKind, { starved = 0 }: StallFigures): Block & { stack?: Frame[] } {
    const stack = verdict === null || verdict.frames.length === 0 ? {} : { stack: verdict.frames }
    const named = { ...block, ...stack, ...(samples.paused ? { name: PAUSED } : {}) }
    if (block.name !== UNKNOWN || samples.paused) return named
    // The code that runs then is innocent, unless it ran for a while as well.
    if (kind === 'suspended') return { ...named, name: SUSPENDED }
    if (kind === 'starved' && this.#options.schedulingDelay.excuses(block.from, block.to, starved)) return { ...named, name: STARVED }
    if (verdict === null) return named
    const { origin, name } = verdict
    if (origin !== undefined) return { ...named, name: origin.name, ...(origin.id === 0 ? {} : { request: origin.id }) }
    return name === null ? named : { ...named, name }
  }

  #report(blocked: Blocked, now: number): void {
    const { emit, thread, suspensions } = this.#options
    const { from, samples } = blocked
    const seconds = now - from
    // Times are multiples from the beginning, so that one late poll does not delay all later reports.
    blocked.reportedAt = Math.max(blocked.reportedAt, from + seconds - ((seconds - this.#options.threshold) % AGAIN))
    const figures = thread.figures(seconds, suspensions.within(from, now))
    const kind = kindOf({
      seconds, figures, inKernel: thread.inKernel, paused: samples.paused, turns: samples.turns,
      together: blocked.together, code: blocked.step !== 0 || samples.last !== null, native: samples.silent(now),
    })
    const { name, stack, ...block } = this.#explain({ ...blocked, to: now }, samples, samples.last, kind, figures)
    emit({
      type: 'loop.blocked', t: stamp(now), ...ofBlock(block), name, since: stamp(from), seconds: stamp(seconds),
      ...(stack === undefined ? {} : { stack }), kind, figures: stamped(figures),
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
    const { threshold, thread, schedulingDelay, now } = this.#options
    const { from, to } = block
    // One of several that together block the loop does not end the stall.
    if (to - from < threshold && (blocked === null || blocked.together)) return
    // Unknown code may turn out to be known, and the other way round: if the two overlap, they are the same stall.
    if (blocked !== null && from < blocked.reportedAt && to > blocked.from) {
      const known = block.name !== ''
      const first = blocked.step !== 0 ? blocked.from : known ? Math.min(blocked.from, from) : from
      this.#end({ ...blocked, ...(known ? block : {}), from: first, to })
    } else if (from >= this.#since) {
      // It was over before it was detected, because this thread had to wait itself.
      const name = block.name === '' ? UNKNOWN : block.name
      const collected = this.#collected
      thread.begin(from, now(), schedulingDelay, false)
      const over = { ...block, name, samples: new StackSamples(), candidates: this.#candidates(block.task ?? null), collected }
      this.#report({ ...over, step: name === UNKNOWN ? 0 : 1, together: false, reportedAt: to, lookedAt: to, askAt: Infinity, soon: 0, named: null }, to)
      this.#end(over)
    }
  }

  #end({ from, to, name, samples, candidates, task, request, collected }: Block & { samples: StackSamples; candidates: Candidate[]; collected: number }): void {
    if (this.#over !== null) this.#settle()
    const { now, thread, suspensions } = this.#options
    if (this.#blocked !== null) thread.look(now(), false)
    this.#blocked = null
    this.#since = to
    this.#over = {
      from, to, name, ...ofBlock({ task, request }), seconds: to - from, victims: [], lost: 0, candidates, samples, collected,
      figures: thread.figures(to - from, suspensions.within(from, to)), inKernel: thread.inKernel, until: to + SETTLE_SECONDS,
    }
  }

  /** A stall may have delayed the request that was read at `t` by this many seconds. */
  waited(request: number, seconds: number, t: number): void {
    this.#readBlocks(t)
    const over = this.#over
    if (over === null || request === over.request) return
    const lost = Math.min(over.to - (t - seconds), over.seconds)
    if (lost <= 0) return
    over.lost += lost
    if (over.victims.length < MOST_VICTIMS) over.victims.push({ request, name: this.#options.decoder.requestName(request), seconds: stamp(lost) })
  }

  /** All input that arrived during the stall has been read. */
  settled(): void {
    // A stack that was taken before the end may still arrive.
    if (this.#over !== null && !this.#over.samples.asking) this.#settle()
  }

  /** The process ends: a stall that goes on ends with it. */
  finish(): void {
    if (this.#blocked !== null) this.#end({ ...this.#blocked, to: this.#options.now() })
    if (this.#over !== null) this.#settle()
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
    const { from, to, seconds, samples, inKernel } = over
    const { now, emit, onProfile, view } = this.#options
    // Node reports the collections of a stall when it is over.
    const collected = Math.min(seconds, (view.numbers[NUMBER.collected] as number) - over.collected)
    const figures = { ...over.figures, ...(collected > 0 ? { collected } : {}) }
    const verdict = samples.conclude(from, to)
    const spans = samples.spans(from, to)
    const native = spans.reduce((sum, span) => sum + (span.native ? span.seconds : 0), 0)
    const kind = kindOf({
      seconds, figures, inKernel, paused: samples.paused, turns: samples.turns, together: over.name === TOGETHER,
      code: over.name !== UNKNOWN || verdict !== null, native: native >= seconds / 2 || samples.gaveNone(to),
    })
    const { name, stack, ...block } = this.#explain(over, samples, verdict, kind, figures)
    const delayed = victimsOf(over.candidates, from, to, block.request ?? null)
    let names = 0
    const victims = [...delayed, ...over.victims].slice(0, MOST_VICTIMS).filter(({ name }) => (names += name.length) <= MOST_NAMES)
      .map((victim) => ({ ...victim, seconds: stamp(victim.seconds) }))
    const profile = spans.length === 0 ? null : new StallProfile(name, from, seconds, spans)
    emit({
      type: 'loop.unblocked', t: stamp(now()), ...ofBlock(block), seconds: stamp(seconds), victims, lost: stamp(totalOf(delayed) + over.lost), name,
      since: stamp(from), ...(stack === undefined ? {} : { stack }), kind, figures: stamped(figures),
      ...(profile === null ? {} : { shares: profile.shares(), flame: profile.flame() }),
    })
    if (profile !== null) onProfile(profile)
  }
}

/** The figures in full µs. */
function stamped(figures: StallFigures): StallFigures {
  return Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, typeof figure === 'number' ? stamp(figure) : figure]))
}

function ofBlock({ task, request }: { task?: number | undefined; request?: number | undefined }): { task?: number; request?: number } {
  return { ...(task === undefined || task === 0 ? {} : { task }), ...(request === undefined || request === 0 ? {} : { request }) }
}
