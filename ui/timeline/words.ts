// The words for what the lanes show: in the tooltip, in the key, and for screen readers.
import { RUNNING, READY, WAITING, THREAD, GHOST, UNKNOWN, YIELDING, type Outcome, type State } from '../recording/track.ts'

export const CAP_GLYPH: Record<Outcome, string> = { returned: '✓', raised: '✕', cancelled: '⊘' }

/** A sign for each state, so that lists are readable without colour. */
export const STATE_SIGN: Record<State, string> = {
  [RUNNING]: '▶', [READY]: '▨', [WAITING]: '─', [THREAD]: '◫', [GHOST]: '◌', [UNKNOWN]: '?', [YIELDING]: '▤',
}

export const STATE_WORD: Record<State, string> = {
  [RUNNING]: 'running', [READY]: 'ready, waiting for the loop', [WAITING]: 'waiting', [THREAD]: 'in a thread',
  [GHOST]: 'detached thread, its task was cancelled', [UNKNOWN]: 'unknown, events were lost',
  [YIELDING]: 'yielding again and again, in turns with other tasks',
}

/** The name of a state as a class of the style sheet. */
export const STATE_CLASS: Record<State, string> = {
  [RUNNING]: 'running', [READY]: 'ready', [WAITING]: 'waiting', [THREAD]: 'thread', [GHOST]: 'ghost', [UNKNOWN]: 'unknown',
  [YIELDING]: 'ready',
}
