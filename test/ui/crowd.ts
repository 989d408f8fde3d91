// A made-up loop with very many tasks, for tests of speed: its events are valid, and the same each time.
import type { LoopEvent } from '../../src/events/schema.ts'

/** About `events` events of `tasks` tasks within `seconds`; each sleeps, wakes, gets from a queue, and a few stall the loop. */
export function crowd(tasks: number, events: number, seconds: number): LoopEvent[] {
  const made: LoopEvent[] = []
  let seq = 0
  let state = 12345
  const random = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return state / 0x7fffffff
  }
  let t = 0
  const step = seconds / events
  const add = (event: object, forward = step): void => {
    t += forward
    made.push({ seq: ++seq, t: Math.round(t * 1e6) / 1e6, loop: 'main', ...event } as LoopEvent)
  }
  add({ type: 'loop.started', name: 'main', pid: 1, clock: 'real' })
  const waiting: number[] = []
  for (let task = 1; task <= tasks; task++) {
    const parent = task > 20 && task % 5 === 0 ? task - 1 : undefined
    add({ type: 'task.created', task, name: `Task-${task}`, coroutine: 'work', ...(parent === undefined ? {} : { parent }) })
    add({ type: 'task.running', task })
    add({ type: 'task.suspended', task, on: { kind: 'sleep', deadline: t + 2 * seconds }, seconds: step })
    waiting.push(task)
  }
  while (made.length < events) {
    const task = waiting[Math.floor(random() * waiting.length)] as number
    const by = waiting[Math.floor(random() * waiting.length)] as number
    add({ type: 'task.ready', task, ...(by === task ? {} : { by }) })
    add({ type: 'task.running', task })
    const kind = random()
    const long = random() < 0.0008
    add({
      type: 'task.suspended', task, seconds: long ? 0.12 : step,
      on: kind < 0.5 ? { kind: 'sleep', deadline: t + 2 * seconds } : kind < 0.8 ? { kind: 'queue.get', label: '<Queue maxsize=10>' } : { kind: 'task', task: by },
    }, long ? 0.12 : step)
  }
  return made
}
