// The workloads on Effection 4. It has neither a yield nor a bounded queue: both are made here from its `action`.
import { action, all, run, sleep, spawn as fork } from 'effection'

const range = (count, make) => Array.from({ length: count }, (_, i) => make(i))
const sum = (values) => values.reduce((a, b) => a + b, 0)
const nothing = () => {}

// The cheapest way to let the others run: sleep(0) would take a host timer, a millisecond, each time.
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

export function spawn({ tasks }) {
  function* child(i) {
    return i
  }
  return run(function* () {
    return sum(yield* all(range(tasks, child)))
  })
}

export function switching({ tasks, each }) {
  let last = -1
  let switches = 0
  function* worker(id) {
    for (let n = 0; n < each; n++) {
      yield* nextTurn()
      if (last !== id) switches++
      last = id
    }
  }
  return run(function* () {
    yield* all(range(tasks, worker))
    return switches
  })
}

export function pingpong({ rounds }) {
  const there = new Queue(1)
  const back = new Queue(1)
  return run(function* () {
    const echoing = yield* fork(function* () {
      for (let n = 0; n < rounds; n++) yield* back.put((yield* there.get()) + 1)
    })
    let total = 0
    for (let n = 0; n < rounds; n++) {
      yield* there.put(n)
      total += yield* back.get()
    }
    yield* echoing
    return total
  })
}

export function queue({ producers, consumers, items, maxsize }) {
  const channel = new Queue(maxsize)
  function* producer(first) {
    for (let n = 0; n < items / producers; n++) yield* channel.put(first + n)
    return 0
  }
  function* consumer() {
    let total = 0
    for (let n = 0; n < items / consumers; n++) total += yield* channel.get()
    return total
  }
  return run(function* () {
    return sum(yield* all([...range(producers, (i) => producer(i * items)), ...range(consumers, consumer)]))
  })
}

export function timers({ tasks, spread }) {
  function* sleeper(i) {
    yield* sleep((i * 7919) % spread)
    return i
  }
  return run(function* () {
    return sum(yield* all(range(tasks, sleeper)))
  })
}

export function memory({ tasks }, meter) {
  let asleep = 0
  function* sleeper(i) {
    asleep++
    yield* sleep(3_600_000 + (i % 500))
  }
  return run(function* () {
    meter.memoryBefore()
    const sleepers = []
    for (let i = 0; i < tasks; i++) sleepers.push(yield* fork(() => sleeper(i)))
    yield* sleep(meter.settle * 1000)
    meter.memoryAfter(asleep, sleepers)
  })
}

export function deep({ depth, times }) {
  function* level(n) {
    if (n > 1) return 1 + (yield* level(n - 1))
    yield* nextTurn()
    return 1
  }
  return run(function* () {
    let total = 0
    for (let n = 0; n < times; n++) total += yield* level(depth)
    return total
  })
}

export function resuspend({ depth, suspensions, times }) {
  function* level(n) {
    if (n > 1) return yield* level(n - 1)
    let count = 0
    for (; count < suspensions; count++) yield* nextTurn()
    return count
  }
  return run(function* () {
    let total = 0
    for (let n = 0; n < times; n++) total += yield* level(depth)
    return total
  })
}

export function cancel({ tasks }, meter) {
  let halted = 0
  function* sleeper() {
    yield* sleep(3_600_000)
  }
  return run(function* () {
    const sleepers = []
    for (let i = 0; i < tasks; i++) sleepers.push(yield* fork(sleeper))
    yield* sleep(meter.settle * 1000)
    meter.lap()
    for (const task of sleepers) yield* task.halt()
    meter.stop() // asking each how it ended makes an error each: not part of the work
    for (const task of sleepers) {
      try {
        yield* task
      } catch (error) {
        if (error.message === 'halted') halted++
      }
    }
    return halted
  })
}
