// The current task, all tasks, and the factory for eager tasks.
import type { Coroutine } from './coroutine.ts'
import { getRunningLoop, type AbstractEventLoop, type TaskFactory } from './abstract-loop.ts'
import { running } from './running.ts'
import { Task, type TaskOptions } from './task.ts'

/** The task that runs now, or `null` in a callback and outside a loop. */
export function currentTask(): Task<unknown> | null {
  return running.task as Task<unknown> | null
}

/** The tasks of the running loop, or of `loop`, that are not done, in order of creation. */
export function allTasks(loop: AbstractEventLoop = getRunningLoop()): Set<Task<unknown>> {
  return loop.liveTasks()
}

export type TaskConstructor = new <T>(coro: Coroutine<T>, options?: TaskOptions & { loop?: AbstractEventLoop }) => Task<T>

/** A task factory whose tasks, made by `Constructor`, run their first step inside `createTask`. */
export function createEagerTaskFactory(Constructor: TaskConstructor): TaskFactory {
  return (loop, coro, options) => new Constructor(coro, { eagerStart: true, ...options, loop })
}

/** For `loop.setTaskFactory`: every task runs its first step inside `createTask`. */
export const eagerTaskFactory: TaskFactory = createEagerTaskFactory(Task)
