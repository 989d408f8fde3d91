// Predict, then reveal: the lines of a run out of order, a comparison of the guess with the run, and why a guess was wrong,
// from the recording of the run.
import { seeded } from '../../src/seeded.ts'
import { explain, waitLabel } from '../recording/explain.ts'
import { WAITING, type Lane } from '../recording/track.ts'
import type { Line, Recording } from '../recording.ts'

/** One line of a guess. */
export interface Guessed {
  text: string
  /** The second at which it is printed; null while the reader has not said. */
  second: number | null
}

/** Whether a guess was right, and if not, why not. */
export interface Answer {
  right: boolean
  why: string
}

export interface Verdict extends Answer {
  line: Line
  /** The text in this place of the guess. */
  guessed: string
  /** The moment: null where none was asked for. */
  when: Answer & { guessed: number | null } | null
}

/** A shuffle is tried this often. Where there are other orders than the two that are not wanted, one is found. */
const TRIES = 100

/**
 * The texts in a random order, the same for the same seed: neither theirs nor the reverse, if there is any other. Two
 * lines have only these two orders, so either may come.
 */
export function shuffled(texts: readonly string[], seed: number): string[] {
  const random = seeded(seed)
  const reversed = [...texts].reverse()
  let order: string[] = []
  for (let tries = 0; tries < TRIES; tries++) {
    order = [...texts]
    for (let at = order.length - 1; at > 0; at--) {
      const other = Math.floor(random() * (at + 1))
      ;[order[at], order[other]] = [order[other] as string, order[at] as string]
    }
    if (!same(order, texts) && !same(order, reversed)) break
  }
  return order
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.every((text, at) => text === other[at])
}

/** Whether the moments can be asked for: each line is printed at a whole second, so it can be read off the program. */
export function asksWhen(recording: Recording, lines: readonly Line[]): boolean {
  return lines.every(({ t }) => Math.abs(t - recording.zero - second(recording, t)) < 1e-6)
}

function second(recording: Recording, t: number): number {
  return Math.round(t - recording.zero)
}

/** Moves one entry by this number of places; the others keep their order. */
export function moved<T>(list: readonly T[], from: number, by: number): T[] {
  const to = Math.max(0, Math.min(list.length - 1, from + by))
  const next = [...list]
  const [entry] = next.splice(from, 1)
  next.splice(to, 0, entry as T)
  return next
}

/** Compares a guess with the lines of the run. The moment of a line is compared wherever the guess has put it. */
export function judge(recording: Recording, guess: readonly Guessed[]): Verdict[] {
  const lines = recording.lines.slice(0, guess.length)
  const asked = asksWhen(recording, lines)
  const left = [...guess]
  return lines.map((line, at) => {
    const guessed = guess[at]?.text ?? ''
    const right = guessed === line.text
    const place = left.findIndex(({ text }) => text === line.text)
    const [entry] = place < 0 ? [] : left.splice(place, 1)
    return { line, guessed, right, why: right ? '' : why(recording, line, guessed), when: asked ? when(recording, line, entry?.second ?? null) : null }
  })
}

/** Whether the moment of a line is right, and what its task did at the moment that was guessed. */
function when(recording: Recording, line: Line, guessed: number | null): Verdict['when'] {
  const { zero } = recording
  const printed = second(recording, line.t)
  const lane = recording.lanes.get(line.task ?? 0)
  if (guessed === printed) return { right: true, why: '', guessed }
  if (guessed === null || lane === undefined) return { right: false, why: '', guessed }
  if (guessed < printed) return { right: false, why: `At ${guessed} s, ${lane.name} has not reached this line: ${lower(explain(recording, lane, recording.positionAt(zero + guessed)))}`, guessed }
  const wait = lastWait(lane, line)
  const reason = wait === null ? 'had waited for nothing before' : `had waited for ${waitLabel(wait.info?.on, recording)} from ${(wait.from - zero).toFixed(3)} s on`
  return { right: false, why: `${lane.name} printed it at ${printed} s already: it ${reason}.`, guessed }
}

/** The last wait of a task before it printed a line. */
function lastWait(lane: Lane, { t, seq }: Line): ReturnType<Lane['span']> | null {
  for (let index = lane.starts.length - 1; index >= 0; index--) {
    const span = lane.span(index)
    if (span.state === WAITING && span.from <= t && span.seq < seq) return span
  }
  return null
}

/** What the task that prints the guessed line did at the moment when another line was printed. */
function why(recording: Recording, came: Line, guessed: string): string {
  const time = (came.t - recording.zero).toFixed(3)
  const later = recording.lines.find(({ text, seq }) => text === guessed && seq > came.seq)
  const theirs = later ?? [...recording.lines].reverse().find(({ text, seq }) => text === guessed && seq < came.seq)
  const lane = recording.lanes.get(theirs?.task ?? 0)
  if (theirs === undefined || lane === undefined) return ''
  if (later === undefined) return `“${guessed}” was printed before, the last time at ${(theirs.t - recording.zero).toFixed(3)} s.`
  if (lane.id === came.task) {
    return theirs.t === came.t
      ? `${lane.name} prints both at ${time} s, “${guessed}” in a later line.`
      : `${lane.name} prints “${guessed}” too, but later: it reaches that line at ${(theirs.t - recording.zero).toFixed(3)} s.`
  }
  return `At ${time} s, ${lane.name}, which prints “${guessed}”, has not reached that line yet: ${lower(explain(recording, lane, { t: came.t, seq: came.seq }))}`
}

function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1)
}
