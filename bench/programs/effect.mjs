// The workloads on Effect 4: tasks are fibers, programs Effect.gen, functions Effect.fnUntraced, as its own guide advises.
import { Effect, Exit, Fiber, Queue } from 'effect'

const range = (count, make) => Array.from({ length: count }, (_, i) => make(i))
const sum = (values) => values.reduce((a, b) => a + b, 0)
const all = (effects) => Effect.all(effects, { concurrency: 'unbounded' })

export function spawn({ tasks }) {
  const child = Effect.fnUntraced(function* (i) {
    return i
  })
  return Effect.runPromise(Effect.gen(function* () {
    return sum(yield* all(range(tasks, (i) => child(i))))
  }))
}

export function switching({ tasks, each }) {
  let last = -1
  let switches = 0
  const worker = Effect.fnUntraced(function* (id) {
    for (let n = 0; n < each; n++) {
      yield* Effect.yieldNow
      if (last !== id) switches++
      last = id
    }
  })
  return Effect.runPromise(Effect.gen(function* () {
    yield* all(range(tasks, (i) => worker(i)))
    return switches
  }))
}

export function pingpong({ rounds }) {
  return Effect.runPromise(Effect.gen(function* () {
    const there = yield* Queue.bounded(1)
    const back = yield* Queue.bounded(1)
    const echoing = yield* Effect.forkChild(Effect.gen(function* () {
      for (let n = 0; n < rounds; n++) yield* Queue.offer(back, (yield* Queue.take(there)) + 1)
    }))
    let total = 0
    for (let n = 0; n < rounds; n++) {
      yield* Queue.offer(there, n)
      total += yield* Queue.take(back)
    }
    yield* Fiber.join(echoing)
    return total
  }))
}

export function queue({ producers, consumers, items, maxsize }) {
  return Effect.runPromise(Effect.gen(function* () {
    const channel = yield* Queue.bounded(maxsize)
    const producer = Effect.fnUntraced(function* (first) {
      for (let n = 0; n < items / producers; n++) yield* Queue.offer(channel, first + n)
      return 0
    })
    const consumer = Effect.fnUntraced(function* () {
      let total = 0
      for (let n = 0; n < items / consumers; n++) total += yield* Queue.take(channel)
      return total
    })
    return sum(yield* all([...range(producers, (i) => producer(i * items)), ...range(consumers, () => consumer())]))
  }))
}

export function timers({ tasks, spread }) {
  const sleeper = Effect.fnUntraced(function* (i) {
    yield* Effect.sleep((i * 7919) % spread)
    return i
  })
  return Effect.runPromise(Effect.gen(function* () {
    return sum(yield* all(range(tasks, (i) => sleeper(i))))
  }))
}

export function memory({ tasks }, meter) {
  let asleep = 0
  const sleeper = Effect.fnUntraced(function* (i) {
    asleep++
    yield* Effect.sleep(3_600_000 + (i % 500))
  })
  return Effect.runPromise(Effect.gen(function* () {
    meter.memoryBefore()
    const sleepers = []
    for (let i = 0; i < tasks; i++) sleepers.push(yield* Effect.forkChild(sleeper(i)))
    yield* Effect.sleep(meter.settle * 1000)
    meter.memoryAfter(asleep, sleepers)
  }))
}

export function deep({ depth, times }) {
  const level = Effect.fnUntraced(function* (n) {
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

export function resuspend({ depth, suspensions, times }) {
  const level = Effect.fnUntraced(function* (n) {
    if (n > 1) return yield* level(n - 1)
    let count = 0
    for (; count < suspensions; count++) yield* Effect.yieldNow
    return count
  })
  return Effect.runPromise(Effect.gen(function* () {
    let total = 0
    for (let n = 0; n < times; n++) total += yield* level(depth)
    return total
  }))
}

export function cancel({ tasks }, meter) {
  const sleeper = Effect.fnUntraced(function* () {
    yield* Effect.sleep(3_600_000)
  })
  return Effect.runPromise(Effect.gen(function* () {
    const sleepers = []
    for (let i = 0; i < tasks; i++) sleepers.push(yield* Effect.forkChild(sleeper()))
    yield* Effect.sleep(meter.settle * 1000)
    meter.lap()
    yield* Fiber.interruptAll(sleepers)
    const ends = yield* Fiber.awaitAll(sleepers)
    return ends.filter((end) => Exit.hasInterrupts(end)).length
  }))
}
