// The life of an application, as the lifespan part of the specification has it: one task from before the first connection
// until after the last.
import type { Coroutine } from '../runtime/coroutine.ts'
import type { EventLoop } from '../runtime/loop.ts'
import type { Task } from '../runtime/task.ts'
import { RuntimeError } from '../runtime/exceptions.ts'
import { trackUnawaited } from '../runtime/unawaited.ts'
import { call } from './application.ts'
import { requireMessage } from './messages.ts'
import type { Application, LifespanEvent, LifespanSendEvent, SendEvent } from './types.ts'
import { Waits } from './waits.ts'

/** `auto`: an application that raises at the lifespan scope has none; `on`: that is an error; `off`: it is not asked. */
export type LifespanMode = 'auto' | 'on' | 'off'

/** The application says that it cannot start, or cannot end well. */
export class LifespanFailed extends Error {
  override name = 'LifespanFailed'
}

type Phase = 'startup' | 'shutdown'

export class Lifespan {
  /** What the application puts into the state that it is given; null if it has no lifespan. */
  state: Record<string, unknown> | null
  readonly #waits = new Waits()
  readonly #given = new Set<Phase>()
  readonly #answered = new Map<Phase, LifespanSendEvent>()
  readonly #changed = new Waits()
  #ending = false
  #task: Task<void> | null = null
  readonly #mode: LifespanMode

  constructor(mode: LifespanMode) {
    this.#mode = mode
    this.state = mode === 'off' ? null : {}
  }

  /** Starts the application; resolves when it is ready. Rejects with a LifespanFailed if it says that it cannot start. */
  async startup(app: Application, loop: EventLoop): Promise<void> {
    if (this.state !== null) await loop.createTask(this.#startup(app, loop), { name: 'startup' })
  }

  /** Ends it after the last connection. Rejects with a LifespanFailed if the application says that it failed. */
  async shutdown(loop: EventLoop): Promise<void> {
    if (this.#task?.done() === false) await loop.createTask(this.#shutdown(this.#task), { name: 'shutdown' })
  }

  *#startup(app: Application, loop: EventLoop): Coroutine<void> {
    const scope = { type: 'lifespan' as const, asgi: { version: '3.0', spec_version: '2.0' }, state: this.state as Record<string, unknown> }
    const task = loop.createTask(call(app, scope, () => trackUnawaited(this.#receive(), 'receive'), (event) => trackUnawaited(this.#send(event), 'send')), { name: 'lifespan' })
    task.addDoneCallback(() => this.#changed.wake())
    this.#task = task
    yield* this.#until('startup')
    const answer = this.#answered.get('startup')
    if (answer === undefined) {
      const error = task.cancelled() ? null : task.exception()
      if (this.#mode === 'on') throw new LifespanFailed('the application has no lifespan', { cause: error })
      this.state = null
      this.#task = null
    } else requireComplete(answer, 'startup')
  }

  *#shutdown(task: Task<void>): Coroutine<void> {
    this.#ending = true
    this.#waits.wake()
    yield* this.#until('shutdown')
    const answer = this.#answered.get('shutdown')
    if (answer !== undefined) requireComplete(answer, 'shutdown')
    else if (!task.cancelled() && task.exception() !== null) throw new LifespanFailed('the application raised while it shut down', { cause: task.exception() })
  }

  *#until(phase: Phase): Coroutine<void> {
    const task = this.#task as Task<void>
    while (!this.#answered.has(phase) && !task.done()) yield* this.#changed.wait('receive', `lifespan.${phase}.complete`)
  }

  *#receive(): Coroutine<LifespanEvent> {
    if (!this.#given.has('startup')) {
      this.#given.add('startup')
      return { type: 'lifespan.startup' }
    }
    while (!this.#ending || this.#given.has('shutdown')) yield* this.#waits.wait('receive', 'lifespan.shutdown')
    this.#given.add('shutdown')
    return { type: 'lifespan.shutdown' }
  }

  *#send(event: SendEvent): Coroutine<void> {
    requireMessage(event, 'lifespan')
    const phase = event.type.split('.')[1] as Phase
    if (!this.#given.has(phase)) throw new RuntimeError(`send: ${event.type} cannot be sent before lifespan.${phase} was received`)
    if (this.#answered.has(phase)) throw new RuntimeError(`send: ${event.type} cannot be sent twice`)
    this.#answered.set(phase, event as LifespanSendEvent)
    this.#changed.wake()
  }
}

function requireComplete(answer: LifespanSendEvent, phase: Phase): void {
  if (answer.type === `lifespan.${phase}.complete`) return
  const { message = '' } = answer as { message?: string }
  throw new LifespanFailed(`the application failed at ${phase}${message === '' ? '' : `: ${message}`}`)
}
