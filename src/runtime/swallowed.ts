// Debug mode's watch over cancellations: JavaScript's `catch` also catches CancelledError, so a task can swallow its own
// cancellation without meaning to. A `finally` that awaits looks the same at its first wait; what tells them apart is a
// task that comes back to the very wait it was cancelled at, or one that waits on and then returns as if nothing had been.
import { place, suspensionOf } from './origins.ts'
import { running, type RunningTask } from './running.ts'

interface Delivery {
  /** Where the task stood when the CancelledError was thrown into it: its whole `yield*` chain. */
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

/** The runtime has caught the cancellation of the current task: it waits for what has to end first, and passes it on then. */
export function noteTaken(): void {
  const { task } = running
  if (task !== null && task.loop.debug) deliveries.delete(task)
}

/** The runtime passes on what it has taken: from here on the program can swallow it. */
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

/** The task returned, as if it had not been cancelled. */
export function noteReturned(task: RunningTask): void {
  const delivery = pending(task)
  if (delivery === undefined || delivery.waitedAt === null) return
  report(task, delivery, `waited again at ${delivery.waitedAt}, and then returned`)
}

function pending(task: RunningTask): Delivery | undefined {
  const delivery = deliveries.get(task)
  // Taken back by `uncancel`: whoever caused the cancellation has dealt with it.
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
