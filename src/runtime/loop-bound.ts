// Queues and locks may be made before a loop runs. They belong to the loop in which a task first waits for them.
import type { Loop } from './running.ts'
import { RuntimeError } from './exceptions.ts'
import { getRunningLoop } from './abstract-loop.ts'

export interface LoopBound {
  /** @internal */
  boundLoop: Loop | null
}

/** Bind `object` to the running loop, or check that it is not bound to another loop. */
export function bindLoop(object: LoopBound): Loop {
  const loop = getRunningLoop()
  if (object.boundLoop === null) object.boundLoop = loop
  else if (object.boundLoop !== loop) {
    throw new RuntimeError(`${String(object)} belongs to a different loop: tasks of another one wait for it already`)
  }
  return loop
}
