// Predict, then reveal: the lines of a run out of order, a comparison of the guess with the run, and why a guess was wrong,
// from the recording of the run.
import { explain } from '../recording/explain.ts'
import type { Line, Recording } from '../recording.ts'

export interface Verdict {
  line: Line
  /** The text in this place of the guess. */
  guessed: string
  right: boolean
  /** Why it is not what was guessed; '' if it is. */
  why: string
}

/** The texts in an order that does not reveal the answer: alphabetical, or reversed if that happens to be right. */
export function shuffled(texts: readonly string[]): string[] {
  const sorted = [...texts].sort((a, b) => a.localeCompare(b))
  const same = (other: readonly string[]): boolean => other.every((text, at) => text === texts[at])
  if (!same(sorted)) return sorted
  const turned = [...sorted].reverse()
  return same(turned) ? sorted : turned
}

/** Moves one entry by this number of places; the others keep their order. */
export function moved<T>(list: readonly T[], from: number, by: number): T[] {
  const to = Math.max(0, Math.min(list.length - 1, from + by))
  const next = [...list]
  const [entry] = next.splice(from, 1)
  next.splice(to, 0, entry as T)
  return next
}

/** Compares a guess with the lines of the run. */
export function judge(recording: Recording, guess: readonly string[]): Verdict[] {
  return recording.lines.slice(0, guess.length).map((line, at) => {
    const guessed = guess[at] ?? ''
    const right = guessed === line.text
    return { line, guessed, right, why: right ? '' : why(recording, line, guessed) }
  })
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
