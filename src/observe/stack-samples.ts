// The stacks that were taken during one stall, and what follows from them. A thread inside a native function (a built-in, an
// addon, a garbage collection) answers when the function returns, and other code may run by then. So from a late answer we use
// only where the native code was called.
import type { Frame } from '../events/schema.ts'
import type { Origin } from './current-request.ts'
import { culpritOf, type Taken } from './stacks.ts'

/** A thread that runs JavaScript, and has a processor, answers within this many seconds. */
const PROMPT_SECONDS = 0.03

/** What blocked the thread, as far as stacks show. */
export interface Verdict {
  frames: Frame[]
  /** `null` if it is not known. */
  name: string | null
  /** The request, or the named work, whose code it was. */
  origin: Origin | undefined
}

interface Sample extends Verdict {
  /** When it was asked for, and when it was taken. */
  asked: number
  at: number
}

export class StackSamples {
  readonly #samples: Sample[] = []
  /** When the open question was asked. */
  #asked: number | null = null
  /** The debugger has paused the thread. */
  paused = false

  /** A stack is asked for, at `t`. */
  ask(t: number): void {
    this.#asked = t
  }

  /** Whether a question is open. */
  get asking(): boolean {
    return this.#asked !== null
  }

  /** The answer, taken at `at`; the thread had no processor for `starved` seconds since the question. `null` if there is no stack. */
  answer(taken: Taken | null, at: number, starved: number): void {
    const asked = this.#asked ?? at
    this.#asked = null
    if (taken === null) return
    const { frames, origin, paused } = taken
    const native = at - asked - starved > PROMPT_SECONDS
    const culprit = culpritOf(frames)
    const name = nameOf(culprit)
    this.#samples.push({
      asked, at, origin, name: name === null ? null : native ? `native code in ${name}` : `${name} outside of the event loop`,
      // Frames above the program's own ran after the native code and are unrelated to it. If there are only such frames, the
      // position is not known.
      frames: native ? (culprit === null ? [] : frames.slice(frames.indexOf(culprit))) : frames,
    })
    this.paused ||= paused
  }

  /** The verdict of the last stack, for a stall that goes on. */
  get last(): Verdict | null {
    return this.#samples.at(-1) ?? null
  }

  /** What blocked the thread for most of a stall that is over. Stacks that were taken afterwards show other code. */
  conclude(from: number, to: number): Verdict | null {
    const seconds = new Map<string, { verdict: Verdict; seconds: number }>()
    const count = (verdict: Verdict, more: number): void => {
      // Two requests may run the same function.
      const key = `${verdict.origin?.name ?? ''}\n${verdict.name ?? ''}`
      const known = seconds.get(key)
      if (known === undefined) seconds.set(key, { verdict, seconds: more })
      else known.seconds += more
    }
    let last: Sample | null = null
    for (const sample of this.#samples) {
      if (sample.at > to) break
      count(last ?? sample, sample.asked - (last?.at ?? from))
      count(sample, sample.at - sample.asked)
      last = sample
    }
    if (last === null) return null
    // A question that was not answered before the end.
    const open = this.#asked ?? this.#samples.find(({ at }) => at > to)?.asked ?? to
    count(last, Math.min(open, to) - last.at)
    const before = nameOf(culpritOf(last.frames))
    if (before !== null) count({ ...last, name: `native code after ${before}` }, to - open - PROMPT_SECONDS)
    return [...seconds.values()].reduce((most, one) => (one.seconds > most.seconds ? one : most)).verdict
  }
}

function nameOf(culprit: Frame | null): string | null {
  return culprit === null ? null : culprit.function || 'code'
}
