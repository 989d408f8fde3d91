// Runs of programs on the server's loop, or on their own loop in virtual time. When a run ends, none of its tasks is left. The
// observer keeps past runs with their output and events for a while.
import type { FastifyInstance } from 'fastify'
import type { Coroutine } from '../runtime/coroutine.ts'
import type { Task } from '../runtime/task.ts'
import type { Message } from '../events/fanout.ts'
import type { Loopscope } from '../fastify/index.ts'
import type { Program, RunListener, RunOutcome } from './run.ts'
import { Future } from '../runtime/future.ts'
import { currentTask } from '../runtime/tasks.ts'
import { wait } from '../runtime/wait.ts'
import { stamp } from '../events/builder.ts'
import { summaryOf } from '../events/run-log.ts'
import { Refusal } from '../http/refusals.ts'
import { contextOf, Run } from './run.ts'
import { VirtualRuns } from './virtual-runs.ts'

export class Runs {
  readonly #loopscope: Loopscope
  readonly #observer: FastifyInstance['observer']
  readonly #most: number
  readonly #live = new Map<number, Run>()
  readonly #virtual = new VirtualRuns()
  #ids = 0

  constructor(loopscope: Loopscope, observer: FastifyInstance['observer'], options: { most: number }) {
    this.#loopscope = loopscope
    this.#observer = observer
    this.#most = options.most
    observer.live = {
      cancel: (id) => {
        const run = this.#live.get(id)
        return run === undefined ? null : { name: `run ${id}`, cancelling: run.cancel('DELETE /runs'), run: summaryOf(run.record) }
      },
      virtual: () => [...this.#live.values()].map(({ record }) => record).filter(({ clock }) => clock === 'virtual').reverse(),
    }
  }

  get live(): number {
    return this.#live.size
  }

  /** A run that is under way. */
  get(id: number): Run | null {
    return this.#live.get(id) ?? null
  }

  /** Gives a new run its number. Throws a 503 if too many are running. */
  prepare(program: Program, listener: RunListener | null = null): Run {
    if (this.#live.size >= this.#most) {
      throw new Refusal('too-many-runs', `${this.#live.size} runs are under way, which is the limit: try again when one has ended`)
    }
    const run = new Run(++this.#ids, program, listener)
    if (program.virtual) this.#virtual.admit(run)
    this.#live.set(run.id, run)
    return run
  }

  /** Runs it to its end, after `ready`. Cancelling this cancels the run. A failing run does not throw; its outcome contains the error. */
  *follow(run: Run, program: Program, ready?: Coroutine<void>): Coroutine<void> {
    try {
      if (ready !== undefined) yield* ready
      if (program.virtual) yield* this.#virtual.follow(run, program)
      else yield* this.#runHere(run, program)
    } finally {
      if (run.record.outcome === null) run.end('cancelled', 0, null)
      run.leave()
      this.#live.delete(run.id)
      if (program.virtual) {
        this.#virtual.leave(run)
        this.#observer.addRun(run.record)
      }
      if (program.leave !== undefined) yield* program.leave()
    }
  }

  *#runHere(run: Run, { main, parameters, example }: Program): Coroutine<void> {
    const { loop } = this.#loopscope
    const { probe } = this.#observer
    const request = this.#currentRequest()
    const listener = run.eventListener
    const told = listener === null ? null : this.#subscribe(run.id, listener)
    let own: unknown = null
    try {
      // Otherwise its first events would be lost before the subscription begins.
      if (told !== null) yield* told.began
      const began = loop.time()
      const context = contextOf((text) => run.print({ t: stamp(loop.time() - began), task: currentTask()?.getName() ?? '', text }))
      probe?.runStarted({ run: run.id, example, parameters, request })
      probe?.nextTask({ run: run.id })
      const task = loop.createTask(main(), { context, name: 'main' })
      run.task = task
      // A cancelled task may take some steps to its end. As at the end of asyncio.run, the tasks it leaves behind are
      // cancelled and waited for. If this task is cancelled meanwhile, that takes effect afterwards.
      let left: Task<unknown>[] = [task]
      while (left.length > 0) {
        try {
          yield* wait(left)
        } catch (error) {
          own ??= error
          task.cancel('its client went away')
        }
        if (!task.done()) continue
        left = [...loop.liveTasks()].filter((one) => probe?.runOf(one) === run.id)
        for (const one of left) if (one.cancelling() === 0) one.cancel()
      }
      const [outcome, error] = outcomeOf(task)
      run.end(outcome, loop.time() - began, error)
      probe?.runFinished(run.id, outcome, run.record.error, request)
      if (own !== null) throw own as Error
      // Its last events are still on their way through the observer.
      if (told !== null) yield* told.ended
    } finally {
      told?.close()
    }
  }

  /** Passes the events of a run to `listener` as JSON, from `began` to the last. */
  #subscribe(id: number, listener: (json: string) => void): { began: Future<void>; ended: Future<void>; close: () => void } {
    const began = new Future<void>({ loop: this.#loopscope.loop })
    const ended = new Future<void>({ loop: this.#loopscope.loop })
    const settle = (future: Future<void>): void => {
      if (!future.done()) future.setResult(undefined)
    }
    const over = (): void => {
      settle(began)
      settle(ended)
    }
    const subscription = this.#observer.subscribe({
      write: (messages: readonly Message[]) => {
        for (const { type, json } of messages) {
          if (type === 'stream.hello') settle(began)
          if (!type.startsWith('stream.')) listener(json)
          if (type === 'run.finished') over()
        }
        return true
      },
      end: over,
    }, { run: id })
    return { began, ended, close: () => subscription.close() }
  }

  /** The request that the current task serves. */
  #currentRequest(): number | undefined {
    const task = currentTask()
    for (const served of this.#loopscope.active) if (served.task === task) return served.id
    return undefined
  }
}

function outcomeOf(task: Task<unknown>): [RunOutcome, unknown] {
  if (task.cancelled()) return ['cancelled', null]
  return task.failed() ? ['raised', task.exception()] : ['returned', null]
}
