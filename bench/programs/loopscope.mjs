// The workloads on loopscope's public API. LOOPSCOPE_BUILD says which compiled build is measured.
const { CancelledError, Queue, createTask, gather, run, sleep } = await import(process.env.LOOPSCOPE_BUILD)

const range = (count, make) => Array.from({ length: count }, (_, i) => make(i))
const sum = (values) => values.reduce((a, b) => a + b, 0)

export function spawn({ tasks }) {
  function* child(i) {
    return i
  }
  return run((function* () {
    return sum(yield* gather(range(tasks, child)))
  })())
}

export function switching({ tasks, each }) {
  let last = -1
  let switches = 0
  function* worker(id) {
    for (let n = 0; n < each; n++) {
      yield* sleep(0)
      if (last !== id) switches++
      last = id
    }
  }
  return run((function* () {
    yield* gather(range(tasks, worker))
    return switches
  })())
}

export function pingpong({ rounds }) {
  const there = new Queue(1)
  const back = new Queue(1)
  function* echo() {
    for (let n = 0; n < rounds; n++) yield* back.put((yield* there.get()) + 1)
  }
  return run((function* () {
    const echoing = createTask(echo())
    let total = 0
    for (let n = 0; n < rounds; n++) {
      yield* there.put(n)
      total += yield* back.get()
    }
    yield* echoing
    return total
  })())
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
  return run((function* () {
    const sides = [...range(producers, (i) => producer(i * items)), ...range(consumers, consumer)]
    return sum(yield* gather(sides))
  })())
}

export function timers({ tasks, spread }) {
  function* sleeper(i) {
    yield* sleep(((i * 7919) % spread) / 1000)
    return i
  }
  return run((function* () {
    return sum(yield* gather(range(tasks, sleeper)))
  })())
}

export function memory({ tasks }, meter) {
  let asleep = 0
  function* sleeper(i) {
    asleep++
    yield* sleep(3600 + (i % 500) / 1000)
  }
  return run((function* () {
    meter.memoryBefore()
    const sleepers = range(tasks, (i) => createTask(sleeper(i)))
    yield* sleep(meter.settle)
    meter.memoryAfter(asleep, sleepers)
  })())
}

export function deep({ depth, times }) {
  function* level(n) {
    if (n > 1) return 1 + (yield* level(n - 1))
    yield* sleep(0)
    return 1
  }
  return run((function* () {
    let total = 0
    for (let n = 0; n < times; n++) total += yield* level(depth)
    return total
  })())
}

export function resuspend({ depth, suspensions, times }) {
  function* level(n) {
    if (n > 1) return yield* level(n - 1)
    let count = 0
    for (; count < suspensions; count++) yield* sleep(0)
    return count
  }
  return run((function* () {
    let total = 0
    for (let n = 0; n < times; n++) total += yield* level(depth)
    return total
  })())
}

export function cancel({ tasks }, meter) {
  function* sleeper() {
    yield* sleep(3600)
  }
  return run((function* () {
    const sleepers = range(tasks, () => createTask(sleeper()))
    yield* sleep(meter.settle)
    meter.lap()
    for (const task of sleepers) task.cancel()
    const ends = yield* gather(sleepers, { returnExceptions: true })
    return ends.filter((end) => end instanceof CancelledError).length
  })())
}
