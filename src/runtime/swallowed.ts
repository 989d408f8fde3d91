// Debug mode's check of cancellations. JavaScript's `catch` also catches CancelledError, so a task can swallow its own
// cancellation by accident. A `finally` that awaits looks the same at its first wait, so a task is reported only if it returns
// to the wait it was cancelled at, or waits again and then returns normally.
import { place, suspensionOf } from './origins.ts'
import { running, type RunningTask } from './running.ts'

interface Delivery {
  /** Where the task was when the CancelledError was thrown into it: its whole `yield*` chain. */
  readonly at: string
  /** Where it waited afterwards, `file:line`. */
  waitedAt: string | null
  reported: boolean
}

const deliveries = new WeakMap<RunningTask, Delivery>()

function standing(task: RunningTask): { chain: string; innermost: string } {
  const frames = suspensionOf(task)
  return {
    chain: frames.map((frame) => `${place(frame)}:${frame.column}`).join(' '),
    innermost: frames[0] === undefined ? 'an unknown place' : place(frames[0]),
  }
}

/** A CancelledError is about to be thrown into `task`. */
export function noteDelivered(task: RunningTask): void {
  if (task.cancelling() > 0) deliveries.set(task, { at: standing(task).chain, waitedAt: null, reported: false })
}

/** The runtime has caught the cancellation of the current task; it passes it on after a wait. */
export function noteTaken(): void {
  const { task } = running
  if (task !== null && task.loop.debug) deliveries.delete(task)
}

/** The runtime passes the caught cancellation on: from now on the program can swallow it. */
export function notePassedOn(): void {
  const { task } = running
  if (task !== null && task.loop.debug) noteDelivered(task)
}

/** The task waits again. */
export function noteWaitsAgain(task: RunningTask): void {
  const delivery = pending(task)
  if (delivery === undefined) return
  const { chain, innermost } = standing(task)
  delivery.waitedAt ??= innermost
  if (chain === delivery.at && chain !== '') report(task, delivery, `waits again at ${innermost}`)
}

/** The task returned normally. */
export function noteReturned(task: RunningTask): void {
  const delivery = pending(task)
  if (delivery === undefined || delivery.waitedAt === null) return
  report(task, delivery, `waited again at ${delivery.waitedAt}, and then returned`)
}

function pending(task: RunningTask): Delivery | undefined {
  const delivery = deliveries.get(task)
  // `uncancel` has withdrawn the request: the cancellation was handled.
  return delivery === undefined || delivery.reported || task.cancelling() === 0 ? undefined : delivery
}

function report(task: RunningTask, delivery: Delivery, what: string): void {
  delivery.reported = true
  task.loop.callExceptionHandler({
    message:
      `${task} swallowed its cancellation and ${what}: ` +
      'begin a `catch` that is meant for failures with rethrowCancelled(error), or call task.uncancel() if it is meant',
    task,
  })
}
