// Events that are kept as numbers come back as they were, with their fields in the same order.
import t from 'tap'
import fc from 'fast-check'
import { PackedEvents } from '../../src/events/packed-events.ts'
import type { LoopEvent } from '../../src/events/schema.ts'

const id = fc.integer({ min: 1, max: 2 ** 31 - 1 })
const text = fc.string({ maxLength: 8 })
const seconds = fc.double({ min: -1e11, max: 1e11, noNaN: true }).map((value) => (value === 0 ? 0 : value))
const frame = fc.record({ function: text, file: text, line: fc.nat(), column: fc.nat() })
const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(of, { nil: undefined })
const on = fc.constantFrom({ kind: 'sleep' as const, deadline: 2.5 }, { kind: 'lock' as const, label: '<Lock 1>', holder: 3 }, { kind: 'yield' as const })
const outcome = fc.constantFrom('returned' as const, 'raised' as const, 'cancelled' as const)
const head = { t: seconds, loop: fc.constantFrom('main', 'main', 'main', 'other') }
const tail = { run: maybe(id), request: maybe(id) }

/** Fields in the builder's order; those that are undefined are left out. */
const event = fc.oneof(
  fc.record({ type: fc.constant('task.created'), ...head, task: id, name: text, coroutine: text, parent: maybe(id), location: maybe(frame), ...tail }),
  fc.record({ type: fc.constant('task.ready'), ...head, task: id, by: maybe(id), ...tail }),
  fc.record({ type: fc.constant('task.running'), ...head, task: id, ...tail }),
  fc.record({ type: fc.constant('task.suspended'), ...head, task: id, on, seconds, location: maybe(frame), ...tail }),
  fc.record({ type: fc.constant('task.finished'), ...head, task: id, outcome, error: maybe(text), ...tail }),
  fc.record({ type: fc.constant('request.started'), ...head, request: id, method: text, url: text, left: maybe(seconds), task: maybe(id), run: maybe(id) }),
  fc.record({
    type: fc.constant('request.finished'), ...head, request: id, method: text, url: text, status: maybe(fc.nat(999)),
    outcome: maybe(fc.oneof(outcome, fc.constant('disconnected'))), seconds: maybe(seconds), task: maybe(id), run: maybe(id),
  }),
  fc.record({ type: fc.constant('task.printed'), ...head, text, task: maybe(id), ...tail }),
).map(({ type, ...rest }) => Object.fromEntries(Object.entries({ type, seq: 0, ...rest }).filter(([, value]) => value !== undefined)) as unknown as LoopEvent)

t.test('events that are kept as numbers', (t) => {
  fc.assert(fc.property(fc.array(fc.tuple(event, fc.nat(9000)), { maxLength: 50 }), (events) => {
    const packed = new PackedEvents()
    const kept = new Map<number, string>()
    for (const [index, [given, at]] of events.entries()) {
      const one = { ...given, seq: index + 1 }
      packed.set(at, one)
      kept.set(at, JSON.stringify(one))
    }
    for (const [at, json] of kept) {
      const { seq } = JSON.parse(json) as LoopEvent
      const got = JSON.stringify(packed.get(at, seq))
      if (got !== json) throw new Error(`${got} instead of ${json}`)
    }
  }), { numRuns: 500 })
  t.end()
})
