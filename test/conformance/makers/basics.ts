// Sleeping, nesting, branching, failing: the statements any program has.
import { anError, CAUGHT, likelyErrors } from '../errors.ts'
import { awaiting, call, construct, list, literal, method, support, variable } from '../tree.ts'
import type { Expression, Handler } from '../tree.ts'
import type { Builder, Maker, Place } from '../builder.ts'

export function handler(builder: Builder, place: Place, error: string): Handler {
  const { random } = builder
  const body = random.chance(0.5) ? builder.inner(place, {}, 1, 2) : []
  if (error === 'ExceptionGroup' && random.chance(0.5)) {
    const matched = builder.random.pick(['Boom', 'TimeoutError', 'RuntimeError'])
    body.unshift(builder.do(method('error', builder.random.pick(['split', 'subgroup']), [{ type: 'class', name: matched }])))
  }
  const ends = body.at(-1)?.type
  return { label: builder.label(), error, body, reraise: ends !== 'return' && ends !== 'raise' && random.chance(0.45) }
}

function test(builder: Builder): Expression | null {
  const one = builder.some('Task', 'Future', 'Event', 'Queue', 'Lock', 'Semaphore', 'counter')
  if (one === null) return null
  switch (one.kind) {
    case 'Task': case 'Future': return method(one.name, builder.random.pick(['done', 'cancelled']))
    case 'Event': return method(one.name, 'isSet')
    case 'Queue': return method(one.name, builder.random.pick(['empty', 'full']))
    case 'counter': return { type: 'atLeast', name: one.name, value: builder.random.int(1, 3) }
    default: return method(one.name, 'locked')
  }
}

export const basics: Maker[] = [
  { feature: 'basics', weight: 9, make: (builder) => builder.awaited(builder.sleep()) },
  {
    feature: 'basics', weight: 4,
    make(builder, place) {
      const own = builder.coroutines.filter(({ level }) => level > place.level)
      if (own.length === 0) return null
      const chosen = builder.random.pick(own)
      return builder.spend(place, chosen.cost) ? builder.awaited({ type: 'coroutine', name: chosen.name }) : null
    },
  },
  {
    feature: 'basics', weight: 6,
    make(builder, place) {
      if (place.depth > 3) return null
      const { random } = builder
      const label = builder.label()
      const body = builder.inner(place, {}, 1, 3)
      const count = random.pick([0, 1, 1, 1, 2])
      const likely = body.flatMap(likelyErrors)
      const errors = new Set(Array.from({ length: count }, () => random.pick(likely.length > 0 && random.chance(0.65) ? likely : CAUGHT)))
      // A handler that catches more comes later: none after it may be unreachable.
      const breadth = (error: string): number => error === 'BaseException' ? 2 : error === 'Exception' ? 1 : 0
      const handlers = [...errors].sort((a, b) => breadth(a) - breadth(b)).map((error) => handler(builder, place, error))
      // A `return` there would swallow the thrown error.
      const last = handlers.length === 0 || random.chance(0.35) ? builder.inner(place, { returnable: false }, 1, 2) : null
      return { type: 'try', label, body, handlers, last }
    },
  },
  {
    feature: 'basics', weight: 2, sync: true,
    make(builder, place) {
      const asks = place.depth > 3 ? null : test(builder)
      if (asks === null) return null
      const label = builder.label()
      const body = builder.inner(place, {}, 1, 2)
      return { type: 'if', label, test: asks, body, otherwise: builder.random.chance(0.3) ? builder.inner(place, {}, 1, 1) : [] }
    },
  },
  {
    feature: 'basics', weight: 2,
    make(builder, place) {
      if (place.depth > 2 || place.times > 3) return null
      const times = builder.random.int(2, 3)
      return { type: 'repeat', label: builder.label(), times, body: builder.inner(place, { times: place.times * times }, 1, 3) }
    },
  },
  {
    // Makes each iteration of the loop visible: other events are between two of these lines.
    feature: 'basics', weight: 1.5,
    make(builder, place) {
      const times = builder.random.int(3, 8)
      if (!builder.spend(place, times)) return null
      return { type: 'repeat', label: builder.label(), times, body: [builder.awaited(call('sleep', [literal(0)]))] }
    },
  },
  {
    feature: 'basics', weight: 3, sync: true,
    make(builder, place) {
      if (place.level === 0 && builder.random.chance(0.8)) return null
      return { type: 'raise', label: builder.label(), error: anError(builder) }
    },
  },
  {
    feature: 'basics', weight: 1,
    make: (builder, place) => place.returnable && place.level > 0 ? { type: 'return', label: builder.label(), value: builder.value() } : null,
  },
  {
    feature: 'basics', weight: 1.5, sync: true,
    make(builder) {
      const counter = builder.some('counter')
      return counter === null ? null : builder.assign(counter.name, { type: 'plusOne', name: counter.name })
    },
  },
  { feature: 'basics', weight: 0.5, sync: true, make: (builder) => builder.do(support('names', call('allTasks'))) },
  {
    // What asyncio refuses. The coroutine given to `wait` stays unawaited, which is not part of the trace.
    feature: 'basics', weight: 0.25,
    make: (builder) => builder.do(builder.random.pick([
      construct('Semaphore', [literal(-1)]), construct('Barrier', [literal(0)]), awaiting(call('wait', [list([])])),
      awaiting(call('wait', [list([call('sleep', [literal(1)])])])), method('mainTask', 'setResult', [literal(1)]), call('createTask', [literal(3)]),
    ])),
  },
  {
    feature: 'basics', weight: 0.3,
    make: (builder) => builder.do(support('sets', awaiting(call('wait', [list([variable('mainTask')])], { timeout: builder.delay() })))),
  },
]
