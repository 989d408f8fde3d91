// The six locks, by hand and with their scope.
import { call, list, literal, method, property, support, variable } from '../tree.ts'
import type { Expression, Statement } from '../tree.ts'
import type { Builder, Feature, Maker, Place } from '../builder.ts'

const KINDS: Partial<Record<Feature, string[]>> = {
  lock: ['Lock'], semaphore: ['Semaphore', 'BoundedSemaphore'], condition: ['Condition'], barrier: ['Barrier'], event: ['Event'],
}

function one(builder: Builder, feature: Feature): string | null {
  return builder.some(...KINDS[feature] ?? [])?.name ?? null
}

const on = (feature: Feature, build: (builder: Builder, name: string, place: Place) => Statement | null) =>
  (builder: Builder, place: Place): Statement | null => {
    const name = one(builder, feature)
    return name === null ? null : build(builder, name, place)
  }

function scope(builder: Builder, place: Place, name: string, feature: Feature): Statement | null {
  if (place.depth > 2) return null
  const label = builder.label()
  const body = builder.inner(place, { returnable: false, favour: feature }, 1, 3)
  return { type: 'scope', label, kind: 'with', value: variable(name), as: feature === 'barrier' ? 'index' : null, body }
}

/** Acquire, do something, release however that ends. */
function byHand(builder: Builder, place: Place, name: string): Statement | null {
  if (place.depth > 2) return null
  const label = builder.label()
  const body = [builder.awaited(method(name, 'acquire')), ...builder.inner(place, {}, 1, 2)]
  return { type: 'try', label, body, handlers: [], last: [builder.do(method(name, 'release'))] }
}

function predicate(builder: Builder): Expression {
  const counter = builder.some('counter')
  const asks: Expression = counter === null ? literal(true) : { type: 'atLeast', name: counter.name, value: builder.random.int(1, 3) }
  return { type: 'thunk', of: support('look', literal(builder.label()), asks) }
}

/** Statements that lock, semaphore and condition have in common. */
const acquirable = (feature: Feature): Maker[] => [
  { feature, weight: 4, make: on(feature, (builder, name, place) => builder.bounded(place, method(name, 'acquire'))) },
  { feature, weight: 4, sync: true, make: on(feature, (builder, name) => builder.do(method(name, 'release'))) },
  { feature, weight: 5, make: on(feature, (builder, name, place) => scope(builder, place, name, feature)) },
  { feature, weight: 1.5, make: on(feature, (builder, name, place) => byHand(builder, place, name)) },
  { feature, weight: 1, sync: true, make: on(feature, (builder, name) => builder.do(method(name, 'locked'))) },
]

export const locks: Maker[] = [
  ...acquirable('lock'),
  ...acquirable('semaphore'),
  ...acquirable('condition'),
  { feature: 'condition', weight: 4, make: on('condition', (builder, name, place) => builder.bounded(place, method(name, 'wait'))) },
  {
    feature: 'condition', weight: 4,
    make: on('condition', (builder, name, place) => builder.bounded(place, method(name, 'waitFor', [predicate(builder)]))),
  },
  {
    feature: 'condition', weight: 4, sync: true,
    make: on('condition', (builder, name) => builder.do(method(name, 'notify', builder.random.chance(0.5) ? [] : [literal(builder.random.int(1, 3))]))),
  },
  { feature: 'condition', weight: 2, sync: true, make: on('condition', (builder, name) => builder.do(method(name, 'notifyAll'))) },
  {
    // As conditions are meant to be used: wait or notify with the lock held.
    feature: 'condition', weight: 12,
    make: on('condition', (builder, name, place) => {
      if (place.depth > 3) return null
      const label = builder.label()
      const [waits, counts] = [builder.random.chance(0.5), builder.random.chance(0.5)]
      const counter = builder.some('counter')
      const body: Statement[] = counts && counter !== null ? [builder.assign(counter.name, { type: 'plusOne', name: counter.name })] : []
      if (waits) body.push(builder.bounded(place, counts ? method(name, 'waitFor', [predicate(builder)]) : method(name, 'wait')))
      else body.push(builder.do(method(name, builder.random.pick(['notify', 'notifyAll']))))
      return { type: 'scope', label, kind: 'with', value: variable(name), as: null, body }
    }),
  },
  { feature: 'event', weight: 5, make: on('event', (builder, name, place) => builder.bounded(place, method(name, 'wait'))) },
  { feature: 'event', weight: 3, sync: true, make: on('event', (builder, name) => builder.do(method(name, 'set'))) },
  { feature: 'event', weight: 2, sync: true, make: on('event', (builder, name) => builder.do(method(name, 'clear'))) },
  { feature: 'event', weight: 1, sync: true, make: on('event', (builder, name) => builder.do(method(name, 'isSet'))) },
  { feature: 'barrier', weight: 6, make: on('barrier', (builder, name, place) => builder.bounded(place, method(name, 'wait'))) },
  { feature: 'barrier', weight: 4, make: on('barrier', (builder, name, place) => scope(builder, place, name, 'barrier')) },
  { feature: 'barrier', weight: 2, make: on('barrier', (builder, name) => builder.awaited(method(name, 'reset'))) },
  { feature: 'barrier', weight: 1.2, make: on('barrier', (builder, name) => builder.awaited(method(name, 'abort'))) },
  {
    feature: 'barrier', weight: 1.5, sync: true,
    make: on('barrier', (builder, name) => builder.do(property(name, builder.random.pick(['nWaiting', 'broken', 'parties'])))),
  },
  {
    feature: 'barrier', weight: 1.5,
    make: on('barrier', (builder, name) => {
      const both = list([method(name, 'wait'), method(name, 'wait')])
      return builder.awaited(call('gather', [both], { returnExceptions: literal(true) }))
    }),
  },
]
