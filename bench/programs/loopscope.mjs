// The workloads on loopscope's public API. LOOPSCOPE_BUILD says which compiled build is measured. As in the other programs,
// functions are at the top of the module, as in real ones: V8 treats each closure's generators as a class of its own.
const { CancelledError, Queue, createTask, gather, run, sleep } = await import(String(process.env.LOOPSCOPE_BUILD))

const range = (count, make) => Array.from({ length: count }, (_, i) => make(i))
const sum = (values) => values.reduce((a, b) => a + b, 0)

function* child(i) {
  return i
}

function* spawnMain({ tasks }) {
  return sum(yield* gather(range(tasks, child)))
}

export const spawn = (params) => run(spawnMain(params))

function* switcher(id, each, seen) {
  for (let n = 0; n < each; n++) {
    yield* sleep(0)
    if (seen.last !== id) seen.switches++
    seen.last = id
  }
}

function* switchingMain({ tasks, each }) {
  const seen = { last: -1, switches: 0 }
  yield* gather(range(tasks, (i) => switcher(i, each, seen)))
  return seen.switches
}

export const switching = (params) => run(switchingMain(params))
export const events = switching

function* echo(there, back, rounds) {
  for (let n = 0; n < rounds; n++) yield* back.put((yield* there.get()) + 1)
}

function* pingpongMain({ rounds }) {
  const there = new Queue(1)
  const back = new Queue(1)
  const echoing = createTask(echo(there, back, rounds))
  let total = 0
  for (let n = 0; n < rounds; n++) {
    yield* there.put(n)
    total += yield* back.get()
  }
  yield* echoing
  return total
}

export const pingpong = (params) => run(pingpongMain(params))

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
  return sum(yield* gather(sides))
}

export const queue = (params) => run(queueMain(params))

function* napper(i, spread) {
  yield* sleep(((i * 7919) % spread) / 1000)
  return i
}

function* timersMain({ tasks, spread }) {
  return sum(yield* gather(range(tasks, (i) => napper(i, spread))))
}

export const timers = (params) => run(timersMain(params))

function* longSleeper(i, seen) {
  seen.asleep++
  yield* sleep(3600 + (i % 500) / 1000)
}

function* memoryMain({ tasks }, meter) {
  const seen = { asleep: 0 }
  meter.memoryBefore()
  const sleepers = range(tasks, (i) => createTask(longSleeper(i, seen)))
  yield* sleep(meter.settle)
  meter.memoryAfter(seen.asleep, sleepers)
}

export const memory = (params, meter) => run(memoryMain(params, meter))

function* level(n) {
  if (n > 1) return 1 + (yield* level(n - 1))
  yield* sleep(0)
  return 1
}

function* deepMain({ depth, times }) {
  let total = 0
  for (let n = 0; n < times; n++) total += yield* level(depth)
  return total
}

export const deep = (params) => run(deepMain(params))

function* suspendingLevel(n, suspensions) {
  if (n > 1) return yield* suspendingLevel(n - 1, suspensions)
  let count = 0
  for (; count < suspensions; count++) yield* sleep(0)
  return count
}

function* resuspendMain({ depth, suspensions, times }) {
  let total = 0
  for (let n = 0; n < times; n++) total += yield* suspendingLevel(depth, suspensions)
  return total
}

export const resuspend = (params) => run(resuspendMain(params))

function* sleeper() {
  yield* sleep(3600)
}

function* cancelMain({ tasks }, meter) {
  const sleepers = range(tasks, () => createTask(sleeper()))
  yield* sleep(meter.settle)
  meter.lap()
  for (const task of sleepers) task.cancel()
  const ends = yield* gather(sleepers, { returnExceptions: true })
  return ends.filter((end) => end instanceof CancelledError).length
}

export const cancel = (params, meter) => run(cancelMain(params, meter))
