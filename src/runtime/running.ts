// What is running on this thread at this moment: the loop, its task, its context. Low in the layers, so that everything
// can ask without knowing the concrete loop.
import type { Context } from './context.ts'
import type { EventLoop } from './loop.ts'
import type { Task } from './task.ts'
import { RuntimeError } from './exceptions.ts'

interface Running {
  loop: EventLoop | null
  task: Task<unknown> | null
  /** `null` stands for a context in which nothing was ever set: most programs never make one. */
  context: Context | null
  /** How many loops the host drives on this thread. */
  driven: number
}

export const running: Running = { loop: null, task: null, context: null, driven: 0 }

/** The loop that runs on this thread. Throws a RuntimeError outside of a coroutine or callback. */
export function getRunningLoop(): EventLoop {
  if (running.loop === null) {
    throw new RuntimeError(
      'no running event loop: call this from a coroutine that `run` drives, or from a callback of its loop. In code that the host calls ' +
      '(a listener, a timer, a promise\'s callback) use the loop: `const loop = getRunningLoop()` in the coroutine, and loop.createTask(…) there',
    )
  }
  return running.loop
}

/** The task that runs now, or `null` in a callback and outside of a loop. */
export function currentTask(): Task<unknown> | null {
  return running.task
}
