// Effect 4 with functions that wrap Effect.gen: widely written, but its guide advises against it. Each call makes a new
// generator function, whose generators V8 then gives a hidden class of their own.
import { Effect } from 'effect'

export function spawn({ tasks }) {
  const child = (i) => Effect.gen(function* () {
    return i
  })
  return Effect.runPromise(Effect.gen(function* () {
    const children = Array.from({ length: tasks }, (_, i) => child(i))
    const values = yield* Effect.all(children, { concurrency: 'unbounded' })
    return values.reduce((a, b) => a + b, 0)
  }))
}

export function deep({ depth, times }) {
  const level = (n) => Effect.gen(function* () {
    if (n > 1) return 1 + (yield* level(n - 1))
    yield* Effect.yieldNow
    return 1
  })
  return Effect.runPromise(Effect.gen(function* () {
    let total = 0
    for (let n = 0; n < times; n++) total += yield* level(depth)
    return total
  }))
}
