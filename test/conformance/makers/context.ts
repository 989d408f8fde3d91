// Context variables, in tasks and in callbacks.
import { LOOP, call, literal, method, variable } from '../tree.ts'
import type { Statement } from '../tree.ts'
import type { Maker } from '../builder.ts'
import { callback } from './futures.ts'

export const contexts: Maker[] = [
  {
    feature: 'context', weight: 4, sync: true,
    make(builder) {
      const one = builder.some('ContextVar')
      const token = one === null ? undefined : builder.variables.find(({ name }) => name === `k${one.name.slice(1)}`)
      if (one === null || token === undefined) return null
      const set = method(one.name, 'set', [builder.value()])
      return builder.random.chance(0.7) ? builder.assign(token.name, set) : builder.do(set)
    },
  },
  {
    feature: 'context', weight: 5, sync: true,
    make(builder) {
      const one = builder.some('ContextVar')
      if (one === null) return null
      // Without a value and without a default Python throws a LookupError, which has no counterpart.
      const hasDefault = one.initial?.type === 'construct' && Object.keys(one.initial.options).length > 0
      return builder.do(method(one.name, 'get', hasDefault && builder.random.chance(0.5) ? [] : [literal(-1)]))
    },
  },
  {
    feature: 'context', weight: 2, sync: true,
    make(builder) {
      const one = builder.some('ContextVar')
      return one === null ? null : builder.do(method(one.name, 'reset', [{ type: 'variable', name: `k${one.name.slice(1)}` }]))
    },
  },
  {
    // As intended: set, do something, reset.
    feature: 'context', weight: 4,
    make(builder, place) {
      const one = builder.some('ContextVar')
      if (one === null || place.depth > 2) return null
      const token = `k${one.name.slice(1)}`
      const label = builder.label()
      const body = [builder.assign(token, method(one.name, 'set', [builder.value()])), ...builder.inner(place, {}, 1, 2)]
      const get = (): Statement => builder.do(method(one.name, 'get', [literal(-1)]))
      const last = [get(), builder.do(method(one.name, 'reset', [variable(token)])), get()]
      return { type: 'try', label, body, handlers: [], last }
    },
  },
  {
    feature: 'context', weight: 2, sync: true,
    make(builder) {
      const slot = builder.some('Context')
      return slot === null ? null : builder.assign(slot.name, call('copyContext'))
    },
  },
  {
    feature: 'context', weight: 5, sync: true,
    make(builder, place) {
      const slot = builder.some('Context')
      const chosen = slot === null ? null : callback(builder, place)
      if (slot === null || chosen === null) return null
      const args = builder.random.chance(0.6) ? [chosen, builder.value()] : [{ type: 'thunk' as const, of: method(LOOP, 'callSoon', [chosen]) }]
      return builder.do(method(slot.name, 'run', args))
    },
  },
]
