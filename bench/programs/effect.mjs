// The workloads on Effect 4: tasks are fibers, functions are Effect.fnUntraced, as its own guide advises.
import { Effect, Exit, Fiber, Queue } from 'effect'

const range = (count, make) => Array.from({ length: count }, (_, i) => make(i))
const sum = (values) => values.reduce((a, b) => a + b, 0)
const all = (effects) => Effect.all(effects, { concurrency: 'unbounded' })

const child = Effect.fnUntraced(function* (i) {
  return i
})

const spawnMain = Effect.fnUntraced(function* ({ tasks }) {
  return sum(yield* all(range(tasks, (i) => child(i))))
})

export const spawn = (params) => Effect.runPromise(spawnMain(params))

const switcher = Effect.fnUntraced(function* (id, each, seen) {
  for (let n = 0; n < each; n++) {
    yield* Effect.yieldNow
    if (seen.last !== id) seen.switches++
    seen.last = id
  }
})

const switchingMain = Effect.fnUntraced(function* ({ tasks, each }) {
  const seen = { last: -1, switches: 0 }
  yield* all(range(tasks, (i) => switcher(i, each, seen)))
  return seen.switches
})

export const switching = (params) => Effect.runPromise(switchingMain(params))

const echo = Effect.fnUntraced(function* (there, back, rounds) {
  for (let n = 0; n < rounds; n++) yield* Queue.offer(back, (yield* Queue.take(there)) + 1)
})

const pingpongMain = Effect.fnUntraced(function* ({ rounds }) {
  const there = yield* Queue.bounded(1)
  const back = yield* Queue.bounded(1)
  const echoing = yield* Effect.forkChild(echo(there, back, rounds))
  let total = 0
  for (let n = 0; n < rounds; n++) {
    yield* Queue.offer(there, n)
    total += yield* Queue.take(back)
  }
  yield* Fiber.join(echoing)
  return total
})

export const pingpong = (params) => Effect.runPromise(pingpongMain(params))

const producer = Effect.fnUntraced(function* (channel, first, count) {
  for (let n = 0; n < count; n++) yield* Queue.offer(channel, first + n)
  return 0
})

const consumer = Effect.fnUntraced(function* (channel, count) {
  let total = 0
  for (let n = 0; n < count; n++) total += yield* Queue.take(channel)
  return total
})

const queueMain = Effect.fnUntraced(function* ({ producers, consumers, items, maxsize }) {
  const channel = yield* Queue.bounded(maxsize)
  const sides = [
    ...range(producers, (i) => producer(channel, i * items, items / producers)),
    ...range(consumers, () => consumer(channel, items / consumers)),
  ]
  return sum(yield* all(sides))
})

export const queue = (params) => Effect.runPromise(queueMain(params))

const napper = Effect.fnUntraced(function* (i, spread) {
  yield* Effect.sleep((i * 7919) % spread)
  return i
})

const timersMain = Effect.fnUntraced(function* ({ tasks, spread }) {
  return sum(yield* all(range(tasks, (i) => napper(i, spread))))
})

export const timers = (params) => Effect.runPromise(timersMain(params))

const longSleeper = Effect.fnUntraced(function* (i, seen) {
  seen.asleep++
  yield* Effect.sleep(3_600_000 + (i % 500))
})

const memoryMain = Effect.fnUntraced(function* ({ tasks }, meter) {
  const seen = { asleep: 0 }
  meter.memoryBefore()
  const sleepers = []
  for (let i = 0; i < tasks; i++) sleepers.push(yield* Effect.forkChild(longSleeper(i, seen)))
  yield* Effect.sleep(meter.settle * 1000)
  meter.memoryAfter(seen.asleep, sleepers)
})

export const memory = (params, meter) => Effect.runPromise(memoryMain(params, meter))

const level = Effect.fnUntraced(function* (n) {
  if (n > 1) return 1 + (yield* level(n - 1))
  yield* Effect.yieldNow
  return 1
})

const deepMain = Effect.fnUntraced(function* ({ depth, times }) {
  let total = 0
  for (let n = 0; n < times; n++) total += yield* level(depth)
  return total
})

export const deep = (params) => Effect.runPromise(deepMain(params))

const suspendingLevel = Effect.fnUntraced(function* (n, suspensions) {
  if (n > 1) return yield* suspendingLevel(n - 1, suspensions)
  let count = 0
  for (; count < suspensions; count++) yield* Effect.yieldNow
  return count
})

const resuspendMain = Effect.fnUntraced(function* ({ depth, suspensions, times }) {
  let total = 0
  for (let n = 0; n < times; n++) total += yield* suspendingLevel(depth, suspensions)
  return total
})

export const resuspend = (params) => Effect.runPromise(resuspendMain(params))

const sleeper = Effect.fnUntraced(function* () {
  yield* Effect.sleep(3_600_000)
})

const cancelMain = Effect.fnUntraced(function* ({ tasks }, meter) {
  const sleepers = []
  for (let i = 0; i < tasks; i++) sleepers.push(yield* Effect.forkChild(sleeper()))
  yield* Effect.sleep(meter.settle * 1000)
  meter.lap()
  yield* Fiber.interruptAll(sleepers)
  const ends = yield* Fiber.awaitAll(sleepers)
  return ends.filter((end) => Exit.hasInterrupts(end)).length
})

export const cancel = (params, meter) => Effect.runPromise(cancelMain(params, meter))
