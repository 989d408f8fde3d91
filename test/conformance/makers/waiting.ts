// Waiting for several: gather, wait, waitFor, shield, asCompleted.
import { awaiting, call, list, literal, method, support, variable } from '../tree.ts'
import type { Expression, Options, Statement } from '../tree.ts'
import type { Builder, Maker, Place } from '../builder.ts'

function gathering(builder: Builder, place: Place, above: number): Expression {
  const { random } = builder
  const options: Options = random.chance(0.4) ? { returnExceptions: literal(random.chance(0.85)) } : {}
  const members = builder.members(place, above, random.chance(0.05) ? 0 : 1, 3)
  if (members.type === 'list' && place.depth < 3 && random.chance(0.25)) members.items.push(gathering(builder, { ...place, depth: place.depth + 2 }, above))
  return call('gather', [members], options)
}

/** Futures that `wait` may be given: it refuses coroutines. */
function futures(builder: Builder): Expression | null {
  const { random } = builder
  const items: Expression[] = []
  for (let i = random.int(1, 4); i > 0; i--) {
    const one = builder.some('Task', 'Task', 'Future', 'Gather', 'Shield')
    if (one !== null) items.push(variable(one.name))
  }
  return items.length === 0 ? null : list(items)
}

export const waiting: Maker[] = [
  { feature: 'gather', weight: 4, make: (builder, place) => builder.awaited(gathering(builder, place, place.level)) },
  {
    // The same coroutine twice: it runs once.
    feature: 'gather', weight: 1.5,
    make(builder, place) {
      const coroutine = builder.coroutine(place, place.level)
      return coroutine === null ? null : builder.awaited(call('gather', [support('twice', coroutine)]))
    },
  },
  {
    feature: 'gather', weight: 3, sync: true,
    make(builder, place) {
      const slot = builder.some('Gather')
      return slot === null ? null : builder.assign(slot.name, gathering(builder, place, Math.max(slot.level - 1, place.level)))
    },
  },
  {
    feature: 'gather', weight: 5,
    make(builder, place) {
      const slot = builder.above(place.level, 'Gather')
      if (slot === null) return null
      return builder.random.chance(0.5) ? builder.awaited(variable(slot.name)) : builder.bounded(place, variable(slot.name))
    },
  },
  {
    feature: 'gather', weight: 1.5, sync: true,
    make(builder) {
      const slot = builder.some('Gather')
      return slot === null ? null : builder.do(method(slot.name, builder.random.pick(['cancel', 'cancel', 'done', 'result', 'exception']), []))
    },
  },
  {
    feature: 'wait', weight: 6,
    make(builder) {
      const { random } = builder
      const given = futures(builder)
      if (given === null) return null
      const options: Options = {}
      if (random.chance(0.6)) options['timeout'] = builder.limit()
      if (random.chance(0.7)) options['returnWhen'] = call(random.pick(['FIRST_COMPLETED', 'FIRST_EXCEPTION', 'ALL_COMPLETED']))
      return builder.do(support('sets', awaiting(call('wait', [given], options))))
    },
  },
  {
    feature: 'waitFor', weight: 6,
    make(builder, place) {
      const member = builder.member(place, place.level)
      return member === null ? null : builder.awaited(call('waitFor', [member, builder.limit()]))
    },
  },
  {
    feature: 'waitFor', weight: 1.5,
    make(builder, place) {
      const member = builder.member(place, place.level)
      return member === null ? null : builder.awaited(call('waitFor', [call('waitFor', [member, builder.limit()]), builder.limit()]))
    },
  },
  {
    feature: 'shield', weight: 4,
    make(builder, place) {
      const member = builder.member(place, place.level)
      return member === null ? null : builder.awaited(call('shield', [member]))
    },
  },
  {
    feature: 'shield', weight: 2, sync: true,
    make(builder, place) {
      const slot = builder.some('Shield')
      const member = slot === null ? null : builder.member(place, Math.max(slot.level - 1, place.level))
      return slot === null || member === null ? null : builder.assign(slot.name, call('shield', [member]))
    },
  },
  {
    feature: 'shield', weight: 4,
    make(builder, place) {
      const slot = builder.above(place.level, 'Shield')
      if (slot === null) return null
      return builder.random.chance(0.5) ? builder.awaited(variable(slot.name)) : builder.bounded(place, variable(slot.name))
    },
  },
  {
    feature: 'shield', weight: 1, sync: true,
    make(builder) {
      const slot = builder.some('Shield')
      return slot === null ? null : builder.do(method(slot.name, 'cancel', builder.message()))
    },
  },
  {
    feature: 'shield', weight: 2,
    make(builder, place) {
      const member = builder.member(place, place.level)
      return member === null ? null : builder.awaited(call('waitFor', [call('shield', [member]), builder.delay()]))
    },
  },
  {
    feature: 'asCompleted', weight: 5,
    make(builder, place) {
      const { random } = builder
      if (place.depth > 2) return null
      const label = builder.label()
      const options: Options = random.chance(0.5) ? { timeout: builder.limit() } : {}
      const value = call('asCompleted', [builder.members(place, place.level, 1, 3)], options)
      const next = builder.awaited(variable('upcoming'))
      const caught = random.pick(['Exception', 'BaseException', 'TimeoutError', 'CancelledError'])
      const body = random.chance(0.55) ? [builder.attempt([next], caught, random.chance(0.3))] : [next]
      return { type: 'each', label, async: random.chance(0.3), value, body }
    },
  },
  {
    feature: 'generator', weight: 6,
    make(builder, place) {
      const { random } = builder
      if (place.depth > 2) return null
      const label = builder.label()
      const inner = (least: number, most: number): Statement[] => builder.inner(place, { returnable: false, favour: null }, least, most)
      const parts: Statement[][] = []
      for (let i = random.int(1, 3); i > 0; i--) parts.push(inner(0, 2))
      const last = random.chance(0.5) ? inner(1, 2) : []
      return { type: 'generate', label, parts, last, body: builder.inner(place, { returnable: false, times: place.times * parts.length, favour: null }, 0, 2), leaves: random.chance(0.3) }
    },
  },
  {
    feature: 'tasks', weight: 0.5, sync: true,
    make(builder) {
      const task = builder.some('Task', 'Future')
      return task === null ? null : builder.do(call('ensureFuture', [variable(task.name)]))
    },
  },
]
