// Every key and channel in Redis, and how long it is kept. A loop's keys are written only by its own process, and read by all.

/** Known loops, scored by the time (ms since 1970, on Redis's clock) at which each was last seen. */
export const LOOPS = 'loopscope:loops'
/** A channel: the name of a loop that has just published something. */
export const NEWS = 'loopscope:news'

/** A loop's events, a Stream: each entry is a batch, or one finished run. */
export const eventsOf = (loop: string): string => `loopscope:events:${loop}`
/** What is alive on a loop after some event, to continue from: JSON. */
export const snapshotOf = (loop: string): string => `loopscope:snapshot:${loop}`
/** A loop's heartbeat: JSON, which expires by itself. */
export const beatOf = (loop: string): string => `loopscope:beat:${loop}`
/** How many lives the loop's name has had: the later one has the greater number. */
export const livesOf = (loop: string): string => `loopscope:lives:${loop}`
/** A channel: requests to cancel something on a loop. */
export const cancelOf = (loop: string): string => `loopscope:cancel:${loop}`
/** A channel: the results of requests that this loop's observer has sent. */
export const answerOf = (loop: string): string => `loopscope:answer:${loop}`

/** The interval of a process' heartbeat, and how long each beat is valid, in ms. */
export const BEAT_MS = 300
export const BEAT_HOLDS_MS = 1200
/** How long the data of a loop is kept after the loop was last seen, in seconds. */
export const KEPT_SECONDS = 3600
