// Every key and channel in Redis, and how long it stays there. Who writes what: a loop's keys are written by its own process
// and by no other; anybody reads them.

/** Known loops, scored by the time (ms since 1970, on Redis's clock) at which each was heard of last. */
export const LOOPS = 'loopscope:loops'
/** A channel: the name of a loop that has just published something. */
export const NEWS = 'loopscope:news'

/** A loop's events, a Stream: one entry a batch, or one finished run. */
export const eventsOf = (loop: string): string => `loopscope:events:${loop}`
/** What is alive on a loop after some event, to go on from: JSON. */
export const snapshotOf = (loop: string): string => `loopscope:snapshot:${loop}`
/** What a loop's process says of itself while it lives: JSON, which expires by itself. */
export const beatOf = (loop: string): string => `loopscope:beat:${loop}`
/** How many lives the loop's name has had: which of two is the later one. */
export const livesOf = (loop: string): string => `loopscope:lives:${loop}`
/** A channel: wishes to cancel something on a loop. */
export const cancelOf = (loop: string): string => `loopscope:cancel:${loop}`
/** A channel: what came of the wishes that this loop's observer has sent. */
export const answerOf = (loop: string): string => `loopscope:answer:${loop}`

/** How often a process says that it lives, and how long that holds, in ms. */
export const BEAT_MS = 300
export const BEAT_HOLDS_MS = 1200
/** How long anything of a loop stays after it was heard of last, in seconds. */
export const KEPT_SECONDS = 3600
