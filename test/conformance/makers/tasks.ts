// Tasks: creating, awaiting and asking them, and cancelling at every point.
import { LOOP, call, literal, method, support, variable } from '../tree.ts'
import type { Expression, Options, Statement } from '../tree.ts'
import type { Builder, Maker, Place } from '../builder.ts'
import { handler } from './basics.ts'

const current = (): Expression => call('currentTask')

export function taskOptions(builder: Builder): Options {
  const { random } = builder
  const options: Options = {}
  if (random.chance(0.15)) options['name'] = literal(`n${random.int(1, 9)}`)
  if (builder.has('eager') && random.chance(0.4)) options['eagerStart'] = literal(random.chance(0.8))
  // A context that is being run cannot be entered again, which an eager start would have to.
  const context = builder.has('eager') ? null : builder.some('Context')
  if (context !== null && random.chance(0.6)) options['context'] = variable(context.name)
  return options
}

export function create(builder: Builder, place: Place): Statement | null {
  const slot = builder.some('Task')
  if (slot === null) return null
  // What the task of a slot awaits is above the slot's level; a coroutine of the program is on its own level.
  const own = builder.coroutines.find(({ level }) => level === slot.level && level > place.level)
  let coroutine: Expression | null = null
  if (own !== undefined && builder.random.chance(0.85)) {
    coroutine = builder.spend(place, own.cost) ? { type: 'coroutine', name: own.name } : null
  }
  coroutine ??= builder.coroutine(place, slot.level)
  if (coroutine === null) return null
  const made = builder.random.chance(0.8) ? call('createTask', [coroutine], taskOptions(builder)) : method(LOOP, 'createTask', [coroutine], taskOptions(builder))
  return builder.assign(slot.name, made)
}

/** A long wait that a cancel interrupts, and one of the reactions: clean-up, swallowing, uncancelling, failing. */
function cancellable(builder: Builder, place: Place): Statement {
  const { random } = builder
  const label = builder.label()
  const before = builder.inner(place, {}, 0, 1)
  const long = random.chance(0.7) ? call('sleep', [literal(random.pick([1, 2, 3, 8]))]) : builder.blocking() ?? builder.sleep()
  const body = [...before, builder.awaited(long)]
  const caught = handler(builder, place, random.chance(0.8) ? 'CancelledError' : 'BaseException')
  if (random.chance(0.5)) caught.body.unshift(builder.awaited(builder.sleep()))
  if (random.chance(0.4)) caught.body.unshift(builder.do(method(current(), random.chance(0.7) ? 'uncancel' : 'cancelling')))
  const last = random.chance(0.3) ? [builder.awaited(builder.sleep())] : null
  return { type: 'try', label, body, handlers: [caught], last }
}

export const tasks: Maker[] = [
  { feature: 'tasks', weight: 10, sync: true, make: create },
  {
    feature: 'tasks', weight: 5,
    make(builder, place) {
      const task = builder.above(place.level, 'Task')
      return task === null ? null : builder.bounded(place, variable(task.name))
    },
  },
  {
    feature: 'tasks', weight: 3, sync: true,
    make(builder) {
      const task = builder.some('Task')
      if (task === null) return null
      const asked = builder.random.pick(['done', 'cancelled', 'cancelling', 'getName', 'result', 'exception'])
      return builder.do(asked === 'getName' ? support('plain', method(task.name, asked)) : method(task.name, asked))
    },
  },
  {
    feature: 'tasks', weight: 0.7, sync: true,
    make(builder) {
      const task = builder.some('Task')
      return task === null ? null : builder.do(method(task.name, 'setName', [literal(`r${builder.random.int(1, 9)}`)]))
    },
  },
  { feature: 'tasks', weight: 0.7, make: (builder) => builder.do(current()) },
  {
    feature: 'tasks', weight: 0.4,
    // Once in a program: CPython does not clear a flag when the same task awaits itself again.
    make: (builder, place) => place.level === 0 && place.times === 1 && builder.once('awaits itself') ? builder.awaited(current()) : null,
  },
  {
    feature: 'cancel', weight: 7, sync: true,
    make(builder) {
      const task = builder.some('Task')
      return task === null ? null : builder.do(method(task.name, 'cancel', builder.message()))
    },
  },
  {
    feature: 'cancel', weight: 1, sync: true,
    make: (builder) => builder.random.chance(0.4) ? builder.do(method('mainTask', 'cancel', builder.message())) : null,
  },
  { feature: 'cancel', weight: 1.5, make: (builder) => builder.do(method(current(), 'cancel', builder.message())) },
  { feature: 'cancel', weight: 1.5, make: (builder) => builder.do(method(current(), builder.random.pick(['uncancel', 'cancelling']))) },
  {
    feature: 'cancel', weight: 1, sync: true,
    make(builder) {
      const task = builder.some('Task')
      return task === null ? null : builder.do(method(task.name, 'uncancel'))
    },
  },
  { feature: 'cancel', weight: 5, make: (builder, place) => place.depth > 2 ? null : cancellable(builder, place) },
]
