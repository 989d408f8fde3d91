// Steps of a busy loop that follow each other at once, each of which ended in `sleep(0)`: a loop makes millions of them a
// second. Their events are known without being made, and are made when somebody asks for them.
import type { LiveTask, LoopEvent } from '../events/schema.ts'
import type { History } from '../events/history.ts'
import type { Model } from '../events/model.ts'
import { stamp } from '../events/builder.ts'

/** Steps that began one after the other; none belongs to a run or a request. */
export interface Rounds {
  /** The task whose step ended when the first of them began, and how many seconds that had taken. */
  before: number
  seconds: number
  /** Their tasks stand here, from one place to another. The last of them still runs. */
  tasks: Int32Array
  from: number
  to: number
  /** When the first began, in seconds on the loop's clock, and how long each took. */
  began: number
  each: number
}

/** For each step: the one before is suspended, and ready, and this one runs. */
const EVENTS_A_STEP = 3

/** The rounds of a loop, as far back as its history goes. */
export class RoundLog {
  readonly #loop: () => string
  readonly #history: History
  readonly #model: Model
  /** The tasks of all of them, around and around. */
  readonly #tasks: Int32Array
  readonly #mask: number
  #end = 0

  /** `loop` gives the loop's id in events; at most `most` steps are added at once. */
  constructor(loop: () => string, history: History, model: Model, most: number) {
    this.#loop = loop
    this.#history = history
    this.#model = model
    let size = 1
    // Each time there is one more than there are steps: at worst, two for each.
    while (size < (2 * history.capacity) / EVENTS_A_STEP + most + 1) size *= 2
    this.#tasks = new Int32Array(size)
    this.#mask = size - 1
  }

  add({ before, seconds, tasks, from, to, began, each }: Rounds): void {
    const log = this.#tasks
    const mask = this.#mask
    const start = this.#end
    const steps = to - from
    log[start] = before
    this.#yielded(before, began)
    for (let step = 1; step <= steps; step++) {
      const task = tasks[from + step - 1] as number
      log[(start + step) & mask] = task
      if (step < steps) this.#yielded(task >>> 0, began + step * each)
    }
    const last = this.#model.tasks.get(this.#taskAt(start + steps))
    if (last !== undefined) {
      last.state = 'running'
      last.since = stamp(began + (steps - 1) * each)
      forgetWait(last)
    }
    this.#model.seq += steps * EVENTS_A_STEP
    this.#history.pushLater(steps * EVENTS_A_STEP, (offset) => this.#event(start, seconds, began, each, offset))
    this.#end = (start + steps + 1) & mask
  }

  /** What the model makes of a whole step that ended in `sleep(0)`. */
  #yielded(id: number, t: number): void {
    const task = this.#model.tasks.get(id)
    if (task === undefined) return
    task.state = 'ready'
    task.since = stamp(t)
    forgetWait(task)
  }

  #event(start: number, seconds: number, began: number, each: number, offset: number): LoopEvent {
    const step = Math.floor(offset / EVENTS_A_STEP)
    const task = this.#taskAt(start + step)
    const event = { seq: 0, loop: this.#loop(), t: stamp(began + step * each) }
    switch (offset % EVENTS_A_STEP) {
      case 0:
        return { ...event, type: 'task.suspended', task, on: { kind: 'yield' }, seconds: stamp(step === 0 ? seconds : each) }
      case 1:
        return { ...event, type: 'task.ready', task }
      default:
        return { ...event, type: 'task.running', task: this.#taskAt(start + step + 1) }
    }
  }

  #taskAt(place: number): number {
    return (this.#tasks[place & this.#mask] as number) >>> 0
  }
}

function forgetWait(task: LiveTask): void {
  if (task.location !== undefined) delete task.location
  if (task.on !== undefined) delete task.on
}
