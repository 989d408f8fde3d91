// One turn of an event loop: iteration by iteration, in CPython's order, until nothing is ready or the time is up.
import type { AbstractEventLoop } from './abstract-loop.ts'
import type { ReadyQueue, Runnable } from './ready.ts'
import { describeWhole } from './describe.ts'
import { FIRE, Handle } from './handle.ts'
import { running } from './running.ts'
import { Task } from './task.ts'

/** The parts of a loop that a turn needs. */
export interface TurningLoop extends AbstractEventLoop {
  readonly ready: ReadyQueue
  /** `stop()` was called: the current iteration is the last. */
  readonly stopping: boolean
}

/** Timers that fall due within this many seconds fire together (the resolution of a monotonic clock, as in asyncio). */
const CLOCK_RESOLUTION = 1e-9

/** Timers before this time are due. For a large `now` the resolution is lost in rounding, but a timer due at `now` must fire. */
function horizonOf(now: number): number {
  return Math.max(now + CLOCK_RESOLUTION, now + Math.abs(now) * Number.EPSILON)
}

/** Ready entries per reading of the clock: a reading costs as much as running one. */
const ENTRIES_PER_CLOCK = 64

/**
 * Run what is ready on `loop` until the host's `elapsed()` shows `until`. Returns the seconds until something is ready: 0 if
 * something is ready or the loop was stopped, Infinity if only the host can wake a task.
 */
export function turn(loop: TurningLoop, until: number): number {
  // The host's context at the start of a turn is arbitrary: tasks and callbacks without their own run in the empty one.
  const empty = loop.host.emptyContext()
  return empty === null ? turnHere(loop, until) : empty.runInAsyncScope(turnHere, undefined, loop, until)
}

function turnHere(loop: TurningLoop, until: number): number {
  const { host, ready, timers } = loop
  const { loop: outerLoop, task: outerTask, context: outerContext } = running
  running.loop = loop
  running.task = null
  let now = host.now()
  let horizon = horizonOf(now)
  let entries = 0
  try {
    for (;;) {
      if (timers.soonest() < horizon) moveDueTimers(loop, horizon)
      if (ready.length === 0) {
        if (loop.stopping) return 0
        now = host.now()
        horizon = horizonOf(now)
        const next = timers.next()
        if (next >= horizon) return next - now
        continue
      }
      entries += iterate(loop)
      if (ready.length === 0) ready.trim()
      if (loop.stopping) return 0
      if (entries >= ENTRIES_PER_CLOCK || host.virtual) {
        now = host.now()
        horizon = horizonOf(now)
        if (entries >= ENTRIES_PER_CLOCK) {
          entries = 0
          // A virtual clock does not advance while work is ready, but the host waits in real time.
          if ((host.virtual ? host.elapsed() : now) >= until) return 0
        }
      }
    }
  } finally {
    running.loop = outerLoop
    running.task = outerTask
    running.context = outerContext
  }
}

/** Run exactly the entries that are ready now; what they make ready runs in the next iteration. Returns their number. */
function iterate(loop: TurningLoop): number {
  const { ready } = loop
  const todo = ready.length
  for (let left = todo; left > 0; left--) {
    const what = ready.peek()
    const argument = ready.shift()
    // This is our event loop: everything that runs on it is called from the next lines.
    if (loop.debug) runTimed(loop, what, argument)
    else if (argument === null) (what as Task<unknown>).step()
    else runCallback(loop, what as Runnable, argument as object)
  }
  return todo
}

function runCallback(loop: TurningLoop, what: Runnable, argument: object): void {
  running.context = null
  if (loop.probe !== null) loop.probe.tell('callbackRunning', what)
  try {
    what.run(argument)
  } catch (error) {
    loop.callExceptionHandler({
      message: `Exception in callback ${describeWhole(what)}`,
      exception: error,
      ...(what instanceof Handle ? { handle: what } : {}),
    })
  }
  if (loop.probe !== null) loop.probe.tell('callbackFinished', what)
}

function runTimed(loop: TurningLoop, what: unknown, argument: unknown): void {
  const began = loop.host.now()
  if (argument === null) (what as Task<unknown>).step()
  else runCallback(loop, what as Runnable, argument as object)
  const seconds = loop.host.now() - began
  if (seconds < loop.slowCallbackDuration) return
  loop.callExceptionHandler({
    message: `Executing ${describeWhole(what as object)} took ${seconds.toFixed(3)} seconds, and delayed everything else on the loop`,
    ...(what instanceof Task ? { task: what } : {}),
  })
}

function moveDueTimers(loop: TurningLoop, horizon: number): void {
  const { timers, ready } = loop
  while (timers.soonest() < horizon) {
    const timer = timers.pop()
    if (timer.isDead()) continue
    timer.leaveHeap()
    ready.push(timer, FIRE)
  }
}
