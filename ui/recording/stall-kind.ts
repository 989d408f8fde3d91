// What kind of freeze a stall is, in plain words, with the figure by which the observer has judged it.
import type { FlameBox, StallFigures, StallKind } from '../../src/events/schema.ts'
import { AMBER } from '../../src/events/stalls.ts'
import { milliseconds } from './time.ts'

/** The least part of all levels' width that a level with one box has, if it is left out. */
const WHOLE = 0.99
/** The most levels of a flame graph: the innermost say most. */
const MOST_LEVELS = 10

/** What says which kind a stall is; `seconds` is how long it has lasted. */
export interface Judged {
  readonly kind: StallKind | null
  readonly figures: StallFigures
  readonly seconds: number
}

/** The code that ran is not the cause: without the time that the machine took, it would not have been a stall. */
export function isInnocent({ kind, figures: { starved = 0, stopped = 0 }, seconds }: Judged): boolean {
  return (kind === 'starved' || kind === 'suspended') && seconds - starved - stopped < AMBER
}

/** The kind in a few words. */
export const KIND_NAMES: Record<StallKind, string> = {
  'javascript': 'JavaScript',
  'native': 'Native code',
  'system-call': 'A call into the system',
  'garbage-collection': 'Garbage collection',
  'microtasks': 'Microtasks',
  'callbacks': 'Many callbacks in a row',
  'starved': 'No processor',
  'suspended': 'The process was stopped',
  'debugger': 'A debugger',
  'unknown': 'Not known',
}

/** What the thread did in a stall of this many seconds, and by what that was judged. */
export function kindText(kind: StallKind, figures: StallFigures, seconds: number): string {
  const { ran, slept, starved, stopped, collected, call, channel } = figures
  const part = (figure: number | undefined, otherwise: string): string => (figure === undefined ? otherwise : `for ${milliseconds(Math.min(figure, seconds))} of ${milliseconds(seconds)}`)
  const where = call === undefined ? '' : ` in ${call}${channel === undefined ? '' : ` (${channel})`}`
  switch (kind) {
    case 'javascript':
      return `The thread ran code of the program${ran === undefined ? '' : `. It had a processor ${part(ran, '')}`}.`
    case 'native':
      return `The thread ran ${part(ran, 'all the time')}, and gave no stack: it was in a native function such as JSON.parse, or it collected garbage.`
    case 'system-call':
      return slept !== undefined && slept > (ran ?? 0)
        ? `The thread slept in a synchronous call into the system, ${part(slept, 'all the time')}${where}.`
        : `The thread ran inside the system's kernel, in a synchronous call. It had a processor ${part(ran, 'all the time')}.`
    case 'garbage-collection':
      return `The thread collected garbage ${part(collected, 'most of the time')}.`
    case 'microtasks':
      return `Microtasks or nextTick callbacks added more of them, and the loop continues only when none is left. The thread ran ${part(ran, 'all the time')}.`
    case 'callbacks':
      return `Many callbacks ran one right after the other, none of them for most of the time. The thread ran ${part(ran, 'all the time')}.`
    case 'starved':
      return `The machine gave the thread no processor ${part(starved, 'most of the time')}.${isInnocent({ kind, figures, seconds }) ? ' The code that ran then is not the cause.' : ''}`
    case 'suspended':
      return `All threads of the process were stopped ${part(stopped, 'most of the time')}: by a signal, or because the machine or the container was paused.`
    case 'debugger':
      return 'A debugger has paused the thread.'
    case 'unknown':
      return 'What the thread did is not known: it gave no stack, and this system does not say whether it ran.'
  }
}

/** A box of a flame graph, as parts of its width. */
export interface PlacedBox extends FlameBox {
  left: number
  width: number
}

/** Places the boxes, each of which is followed by those that it called. What all stacks have in common is left out, but for one level. */
export function placed(flame: readonly FlameBox[]): PlacedBox[] {
  const total = flame.reduce((sum, { depth, seconds }) => sum + (depth === 0 ? seconds : 0), 0)
  const boxes: PlacedBox[] = []
  /** Where the next box of each level begins. */
  const next: number[] = [0]
  for (const box of flame) {
    const left = next[box.depth] ?? 0
    const width = box.seconds / (total || 1)
    boxes.push({ ...box, left, width })
    next[box.depth] = left + width
    next[box.depth + 1] = left
  }
  const levels = Math.max(0, ...boxes.map(({ depth }) => depth + 1))
  let common = 0
  while (common < levels - 1 && boxes.some(({ depth, width }) => depth === common + 1 && width >= WHOLE)) common++
  common = Math.max(common, levels - MOST_LEVELS)
  return boxes.filter(({ depth }) => depth >= common).map((box) => ({ ...box, depth: box.depth - common }))
}
