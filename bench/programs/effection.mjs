// The workloads on Effection 4. It has neither a yield nor a bounded queue: both are made here from its `action`.
import { action, all, run, sleep, spawn as fork } from 'effection'

const range = (count, make) => Array.from({ length: count }, (_, i) => make(i))
const sum = (values) => values.reduce((a, b) => a + b, 0)
const nothing = () => {}

// The cheapest way to yield: sleep(0) would take a host timer, a millisecond, each time.
const nextTurn = () => action((resolve) => {
  queueMicrotask(resolve)
  return nothing
})

const waitIn = (waiters) => action((resolve) => {
  waiters.push(resolve)
  return nothing
})

class Queue {
  #items = []
  #getters = []
  #putters = []
  #maxsize

  constructor(maxsize) {
    this.#maxsize = maxsize
  }

  *put(item) {
    while (this.#items.length >= this.#maxsize) yield* waitIn(this.#putters)
    this.#items.push(item)
    if (this.#getters.length > 0) this.#getters.shift()()
  }

  *get() {
    while (this.#items.length === 0) yield* waitIn(this.#getters)
    const item = this.#items.shift()
    if (this.#putters.length > 0) this.#putters.shift()()
    return item
  }
}

function* child(i) {
  return i
}

function* spawnMain({ tasks }) {
  return sum(yield* all(range(tasks, child)))
}

export const spawn = (params) => run(() => spawnMain(params))

function* switcher(id, each, seen) {
  for (let n = 0; n < each; n++) {
    yield* nextTurn()
    if (seen.last !== id) seen.switches++
    seen.last = id
  }
}

function* switchingMain({ tasks, each }) {
  const seen = { last: -1, switches: 0 }
  yield* all(range(tasks, (i) => switcher(i, each, seen)))
  return seen.switches
}

export const switching = (params) => run(() => switchingMain(params))

function* echo(there, back, rounds) {
  for (let n = 0; n < rounds; n++) yield* back.put((yield* there.get()) + 1)
}

function* pingpongMain({ rounds }) {
  const there = new Queue(1)
  const back = new Queue(1)
  const echoing = yield* fork(() => echo(there, back, rounds))
  let total = 0
  for (let n = 0; n < rounds; n++) {
    yield* there.put(n)
    total += yield* back.get()
  }
  yield* echoing
  return total
}

export const pingpong = (params) => run(() => pingpongMain(params))

function* producer(channel, first, count) {
  for (let n = 0; n < count; n++) yield* channel.put(first + n)
  return 0
}

function* consumer(channel, count) {
  let total = 0
  for (let n = 0; n < count; n++) total += yield* channel.get()
  return total
}

function* queueMain({ producers, consumers, items, maxsize }) {
  const channel = new Queue(maxsize)
  const sides = [
    ...range(producers, (i) => producer(channel, i * items, items / producers)),
    ...range(consumers, () => consumer(channel, items / consumers)),
  ]
  return sum(yield* all(sides))
}

export const queue = (params) => run(() => queueMain(params))

function* napper(i, spread) {
  yield* sleep((i * 7919) % spread)
  return i
}

function* timersMain({ tasks, spread }) {
  return sum(yield* all(range(tasks, (i) => napper(i, spread))))
}

export const timers = (params) => run(() => timersMain(params))

function* longSleeper(i, seen) {
  seen.asleep++
  yield* sleep(3_600_000 + (i % 500))
}

function* memoryMain({ tasks }, meter) {
  const seen = { asleep: 0 }
  meter.memoryBefore()
  const sleepers = []
  for (let i = 0; i < tasks; i++) sleepers.push(yield* fork(() => longSleeper(i, seen)))
  yield* sleep(meter.settle * 1000)
  meter.memoryAfter(seen.asleep, sleepers)
}

export const memory = (params, meter) => run(() => memoryMain(params, meter))

function* level(n) {
  if (n > 1) return 1 + (yield* level(n - 1))
  yield* nextTurn()
  return 1
}

function* deepMain({ depth, times }) {
  let total = 0
  for (let n = 0; n < times; n++) total += yield* level(depth)
  return total
}

export const deep = (params) => run(() => deepMain(params))

function* suspendingLevel(n, suspensions) {
  if (n > 1) return yield* suspendingLevel(n - 1, suspensions)
  let count = 0
  for (; count < suspensions; count++) yield* nextTurn()
  return count
}

function* resuspendMain({ depth, suspensions, times }) {
  let total = 0
  for (let n = 0; n < times; n++) total += yield* suspendingLevel(depth, suspensions)
  return total
}

export const resuspend = (params) => run(() => resuspendMain(params))

function* sleeper() {
  yield* sleep(3_600_000)
}

function* cancelMain({ tasks }, meter) {
  const sleepers = []
  for (let i = 0; i < tasks; i++) sleepers.push(yield* fork(sleeper))
  yield* sleep(meter.settle * 1000)
  meter.lap()
  for (const task of sleepers) yield* task.halt()
  meter.stop() // to ask each how it ended makes an error each: not part of the work
  return yield* countHalted(sleepers)
}

function* countHalted(tasks) {
  let halted = 0
  for (const task of tasks) {
    try {
      yield* task
    } catch (error) {
      if (error.message === 'halted') halted++
    }
  }
  return halted
}

export const cancel = (params, meter) => run(() => cancelMain(params, meter))
