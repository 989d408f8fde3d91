// Time limits and task groups: blocks that cancel what is in them.
import { LOOP, call, literal, method, support } from '../tree.ts'
import type { Expression, Statement } from '../tree.ts'
import type { Builder, Maker, Place } from '../builder.ts'
import { taskOptions } from './tasks.ts'

const clock = (builder: Builder): Expression =>
  builder.random.chance(0.08) ? literal(null) : { type: 'clock', plus: builder.random.pick([-0.5, 0, 0.125, 0.25, 0.5, 1, 1, 2]) }

function child(builder: Builder, place: Place, group: string): Statement | null {
  const failing = builder.coroutines.find(({ name }) => name === 'failing')
  const fails = failing !== undefined && builder.random.chance(0.35) && builder.spend(place, failing.cost)
  const coroutine = fails ? { type: 'coroutine' as const, name: failing.name } : builder.coroutine(place, place.level)
  if (coroutine === null) return null
  const made = method(group, 'createTask', [coroutine], taskOptions(builder))
  const slot = coroutine.type === 'coroutine' ? builder.variables.filter(({ kind, level }) => kind === 'Task' && level === Number(coroutine.name.slice(1))) : []
  return slot.length > 0 && builder.random.chance(0.5) ? builder.assign(builder.random.pick(slot).name, made) : builder.do(made)
}

export const scopes: Maker[] = [
  {
    feature: 'timeout', weight: 6,
    make(builder, place) {
      const slot = builder.some('Timeout')
      if (slot === null || place.depth > 2) return null
      const at = builder.random.chance(0.35)
      const label = builder.label()
      const value = at ? clock(builder) : builder.limit()
      const body = builder.inner(place, { returnable: false, favour: builder.random.chance(0.3) ? 'timeout' : null }, 1, 3)
      return { type: 'scope', label, kind: at ? 'timeoutAt' : 'timeout', value, as: slot.name, body }
    },
  },
  {
    feature: 'timeout', weight: 1.5, sync: true,
    make(builder) {
      const slot = builder.some('Timeout')
      return slot === null ? null : builder.do(method(slot.name, 'reschedule', [clock(builder)]))
    },
  },
  {
    feature: 'timeout', weight: 2.5, sync: true,
    make(builder) {
      const slot = builder.some('Timeout')
      if (slot === null) return null
      return builder.do(builder.random.chance(0.5) ? method(slot.name, 'expired') : support('since', method(slot.name, 'when')))
    },
  },
  {
    feature: 'group', weight: 7,
    make(builder, place) {
      const slot = builder.some('TaskGroup')
      if (slot === null || place.depth > 2) return null
      const label = builder.label()
      const inner = { ...place, returnable: false, depth: place.depth + 1, favour: 'group' as const }
      const body: Statement[] = []
      for (let i = builder.random.int(0, 3); i > 0; i--) {
        const started = child(builder, inner, slot.name)
        if (started !== null) body.push(started)
      }
      body.push(...builder.inner(place, { returnable: false }, 0, 3))
      return { type: 'scope', label, kind: 'taskGroup', value: literal(null), as: slot.name, body }
    },
  },
  {
    feature: 'group', weight: 2, sync: true,
    make(builder, place) {
      const slot = builder.some('TaskGroup')
      return slot === null ? null : child(builder, place, slot.name)
    },
  },
  {
    feature: 'group', weight: 2.5, sync: true,
    make(builder) {
      const slot = builder.some('TaskGroup')
      return slot === null ? null : builder.do(method(slot.name, 'cancel'))
    },
  },
  {
    feature: 'eager', weight: 1.5, sync: true,
    make: (builder) => builder.do(method(LOOP, 'setTaskFactory', [builder.random.chance(0.6) ? call('eagerTaskFactory') : literal(null)])),
  },
]
