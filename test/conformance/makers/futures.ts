// Bare futures that others set, done callbacks, and callbacks on the loop.
import { bare } from '../errors.ts'
import { LOOP, construct, literal, method, support, variable } from '../tree.ts'
import type { Expression } from '../tree.ts'
import type { Builder, Maker, Place } from '../builder.ts'

/** A callback that may be scheduled here, with its cost. */
export function callback(builder: Builder, place: Place): Expression | null {
  const found = builder.callbacks.filter(({ level }) => level > place.level)
  if (found.length === 0) return null
  const chosen = builder.random.pick(found)
  return builder.spend(place, chosen.cost) ? { type: 'callback', name: chosen.name } : null
}

function schedule(builder: Builder, place: Place): Expression | null {
  const { random } = builder
  const chosen = callback(builder, place)
  if (chosen === null) return null
  const args = random.chance(0.4) ? [builder.value()] : []
  switch (random.int(0, 4)) {
    case 0: case 1: return method(LOOP, 'callSoon', [chosen, ...args])
    case 2: case 3: return method(LOOP, 'callLater', [builder.delay(), chosen, ...args])
    default: return method(LOOP, 'callAt', [{ type: 'clock', plus: random.pick([-0.5, 0, 0.125, 0.25, 0.5, 1, 1, 2]) }, chosen, ...args])
  }
}

export const futures: Maker[] = [
  {
    feature: 'future', weight: 5,
    make(builder, place) {
      const future = builder.some('Future')
      return future === null ? null : builder.bounded(place, variable(future.name))
    },
  },
  {
    feature: 'future', weight: 4, sync: true,
    make(builder) {
      const future = builder.some('Future')
      return future === null ? null : builder.do(method(future.name, 'setResult', [builder.value()]))
    },
  },
  {
    feature: 'future', weight: 2, sync: true,
    make(builder) {
      const future = builder.some('Future')
      return future === null ? null : builder.do(method(future.name, 'setException', [
        builder.random.chance(0.25) ? bare(builder) : construct('Boom', [literal(`f${builder.random.int(1, 99)}`)]),
      ]))
    },
  },
  {
    feature: 'future', weight: 2, sync: true,
    make(builder) {
      const future = builder.some('Future')
      return future === null ? null : builder.do(method(future.name, 'cancel', builder.message()))
    },
  },
  {
    feature: 'future', weight: 4, sync: true,
    make(builder) {
      const future = builder.some('Future')
      return future === null ? null : builder.do(method(future.name, builder.random.pick(['done', 'cancelled', 'result', 'result', 'exception', 'exception'])))
    },
  },
  {
    feature: 'future', weight: 2, sync: true,
    make(builder) {
      const future = builder.some('Future')
      return future === null ? null : builder.assign(future.name, method(LOOP, 'createFuture'))
    },
  },
  {
    feature: 'callback', weight: 4, sync: true,
    make(builder, place) {
      const future = (builder.random.chance(0.3) ? builder.some('Future') : null) ?? builder.some('Task', 'Future', 'Gather', 'Shield')
      const chosen = future === null ? null : callback(builder, place)
      if (future === null || chosen === null) return null
      const context = builder.random.chance(0.4) ? builder.some('Context') : null
      return builder.do(method(future.name, 'addDoneCallback', [chosen], context === null ? {} : { context: variable(context.name) }))
    },
  },
  {
    feature: 'callback', weight: 1.5, sync: true,
    make(builder) {
      const future = builder.some('Task', 'Future')
      if (future === null || builder.callbacks.length === 0) return null
      return builder.do(method(future.name, 'removeDoneCallback', [{ type: 'callback', name: builder.random.pick(builder.callbacks).name }]))
    },
  },
  {
    feature: 'callback', weight: 6, sync: true,
    make(builder, place) {
      const made = schedule(builder, place)
      if (made === null) return null
      const slot = builder.some(made.type === 'method' && made.name === 'callSoon' ? 'Handle' : 'TimerHandle')
      return slot !== null && builder.random.chance(0.7) ? builder.assign(slot.name, made) : builder.do(made)
    },
  },
  {
    // Enough cancelled timers that the loop removes them, beside those that stay.
    feature: 'callback', weight: 0.2,
    make(builder, place) {
      const slot = builder.some('TimerHandle')
      const chosen = callback(builder, place)
      if (slot === null || chosen === null || place.times > 1 || place.level > 0 || !builder.once('many timers')) return null
      const body = [
        builder.assign(slot.name, method(LOOP, 'callLater', [builder.delay(), chosen])),
        { type: 'do' as const, label: builder.label(), value: method(slot.name, 'cancel') },
      ]
      return { type: 'repeat', label: builder.label(), times: builder.random.int(90, 130), body }
    },
  },
  {
    feature: 'callback', weight: 2, sync: true,
    make(builder) {
      const slot = builder.some('Handle', 'TimerHandle')
      return slot === null ? null : builder.do(method(slot.name, builder.random.pick(['cancel', 'cancel', 'cancel', 'cancelled'])))
    },
  },
  {
    feature: 'callback', weight: 0.7, sync: true,
    make(builder) {
      const slot = builder.some('TimerHandle')
      return slot === null ? null : builder.do(support('since', method(slot.name, 'when')))
    },
  },
]
