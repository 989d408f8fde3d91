// The stacks that were taken during one stall, and what follows from them. A thread inside a native function (a built-in, an
// addon, a garbage collection) answers when the function returns, and other code may run by then. So from a late answer we use
// only where the native code was called.
import type { Frame } from '../events/schema.ts'
import type { Origin } from './current-request.ts'
import { culpritOf, type Taken } from './stacks.ts'

/** A thread that runs JavaScript, and has a processor, answers within this many seconds. */
export const PROMPT_SECONDS = 0.03
/** The most runs of equal stacks that are kept. Beyond it, short ones become one with the next, and the longer of two is likelier to give its stack. */
const MOST_RUNS = 1024

/** Time in Node's own code counts for this part, beside the program's. */
const NODES_WEIGHT = 0.05

/** What blocked the thread, as far as stacks show. */
export interface Verdict {
  frames: Frame[]
  /** `null` if it is not known. */
  name: string | null
  /** The request, or the named work, whose code it was. */
  origin: Origin | undefined
}

/** A time with one stack, as part of a stall. */
export interface Span extends Verdict {
  seconds: number
  /** The innermost frame had called a native function. */
  native: boolean
}

/** Equal stacks in a row. */
interface Run extends Verdict {
  /** When the first was asked for, when it was taken, and when the last was. */
  asked: number
  first: number
  at: number
  native: boolean
}

/** What the answers show of callbacks and microtasks. Times are in seconds. */
export interface Turns {
  /** From the first answer to the last, and how much of it microtasks or ticks ran. */
  seconds: number
  micro: number
  /** For how long the same callback or microtask ran at most, and how many times another one had begun. */
  longest: number
  changes: number
}

interface Seen {
  at: number
  turn: number | undefined
  jobs: number | undefined
  micro: boolean
}

export class StackSamples {
  #runs: Run[] = []
  /** When the open question was asked. */
  #asked: number | null = null
  /** The first question, and when it was answered. */
  #first: { asked: number; answered: number } | null = null
  #seen: Seen | null = null
  /** Since when the same callback runs. */
  #turnSince = 0
  readonly turns: Turns = { seconds: 0, micro: 0, longest: 0, changes: 0 }
  /** The debugger has paused the thread. */
  paused = false

  /** A stack is asked for, at `t`. */
  ask(t: number): void {
    this.#asked = t
    this.#first ??= { asked: t, answered: Infinity }
  }

  /** Whether a question is open. */
  get asking(): boolean {
    return this.#asked !== null
  }

  /** Whether the thread has not answered for longer than JavaScript would take: it is in a native function, or does not run. */
  silent(now: number): boolean {
    return this.#asked !== null && now - this.#asked > PROMPT_SECONDS
  }

  /** Whether the thread gave no answer at all in a stall that ended at `to`. */
  gaveNone(to: number): boolean {
    return this.#first !== null && this.#first.answered > to && to - this.#first.asked > PROMPT_SECONDS
  }

  /** The answer, taken at `at`; the thread had no processor for `starved` seconds since the question. `null` if there is no stack. */
  answer(taken: Taken | null, at: number, starved: number): void {
    const asked = this.#asked ?? at
    this.#asked = null
    if (this.#first !== null) this.#first.answered = Math.min(this.#first.answered, at)
    if (taken === null) return
    const { frames, origin, paused, entered = false } = taken
    this.paused ||= paused
    this.#turned(taken, at)
    const native = at - asked - starved > PROMPT_SECONDS
    if (frames.length === 0 && !native) return
    const culprit = native && entered ? null : culpritOf(frames)
    const name = nameOf(culprit)
    this.#add({
      asked, first: at, at, origin, native, name: name === null ? null : native ? `native code in ${name}` : `${name} outside of the event loop`,
      // Frames above the program's own ran after the native code and are unrelated to it. If there are only such frames, the
      // position is not known.
      frames: native ? (culprit === null ? [] : frames.slice(frames.indexOf(culprit))) : frames,
    })
  }

  /** The verdict of the last stack, for a stall that goes on. */
  get last(): Verdict | null {
    return this.#runs.at(-1) ?? null
  }

  /** What blocked the thread for most of a stall that is over. Stacks that were taken afterwards show other code. */
  conclude(from: number, to: number): Verdict | null {
    const all = new Map<string, { verdict: Verdict; seconds: number }>()
    for (const { seconds, native, ...verdict } of this.spans(from, to)) {
      // Node's own code calls the program again and again; it is named only if nothing else is seen.
      const weight = verdict.name === null && !native ? seconds * NODES_WEIGHT : seconds
      // Two requests may run the same function.
      const key = `${verdict.origin?.name ?? ''}\n${verdict.name ?? ''}`
      const known = all.get(key)
      if (known === undefined) all.set(key, { verdict, seconds: weight })
      else known.seconds += weight
    }
    return all.size === 0 ? null : [...all.values()].reduce((most, one) => (one.seconds > most.seconds ? one : most)).verdict
  }

  /** The whole stall as a sequence of stacks. Between two answers, each stack gets half of the time. */
  spans(from: number, to: number): Span[] {
    const spans: Span[] = []
    const add = ({ frames, name, origin, native }: Run, seconds: number): void => {
      if (seconds > 0) spans.push({ frames, name, origin, native, seconds })
    }
    let last: Run | null = null
    let end = from
    for (const run of this.#runs) {
      if (run.first > to) break
      const middle = last === null ? end : (end + Math.max(end, run.asked)) / 2
      if (last !== null) add(last, middle - end)
      const until = Math.min(run.at, to)
      add(run, until - middle)
      end = Math.max(end, until)
      last = run
    }
    if (last === null) return spans
    // A question that was not answered before the end.
    const open = Math.min(to, this.#asked ?? this.#runs.find(({ first }) => first > to)?.asked ?? to)
    const before = nameOf(culpritOf(last.frames))
    const rest = before === null ? 0 : Math.max(0, to - open - PROMPT_SECONDS)
    add(last, to - end - rest)
    add({ ...last, name: `native code after ${before}`, native: true }, rest)
    return spans
  }

  #turned({ turn, jobs, micro = false, frames }: Taken, at: number): void {
    const last = this.#seen
    this.#seen = { at, turn, jobs, micro }
    const { turns } = this
    if (last === null || turn === undefined) {
      this.#turnSince = at
      return
    }
    const seconds = at - last.at
    turns.seconds += seconds
    if (micro || last.micro) turns.micro += seconds
    // Between two callbacks, the one before is over.
    if (frames.length === 0 || turn !== last.turn || (jobs ?? 0) > (last.jobs ?? 0)) {
      turns.changes++
      this.#turnSince = at
    }
    turns.longest = Math.max(turns.longest, at - this.#turnSince)
  }

  #add(run: Run): void {
    const last = this.#runs.at(-1)
    if (last !== undefined && keyOf(last) === keyOf(run)) {
      last.at = run.at
      last.frames = run.frames
      return
    }
    this.#runs.push(run)
    if (this.#runs.length <= MOST_RUNS) return
    const least = (run.at - (this.#runs[0] as Run).asked) / MOST_RUNS * 2
    const merged: Run[] = []
    for (const two of this.#runs) {
      const one = merged.at(-1)
      if (one === undefined || one.at - one.asked >= least) merged.push(two)
      else {
        const part = ((one.at + two.asked) / 2 - one.asked) / (two.at - one.asked)
        merged[merged.length - 1] = { ...(Math.random() < part ? one : two), asked: one.asked, first: one.first, at: two.at }
      }
    }
    this.#runs = merged
  }
}

function keyOf({ name, native, origin, frames }: Run): string {
  return `${name} ${native} ${origin?.name ?? ''} ${frames.map(({ function: fn, file, line }) => `${fn} ${file}:${line}`).join('\n')}`
}

function nameOf(culprit: Frame | null): string | null {
  return culprit === null ? null : culprit.function || 'code'
}
