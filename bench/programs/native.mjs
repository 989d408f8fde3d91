// The workloads on plain async/await. A task is the promise of an async function that was called.
import { Queue } from './native-queue.mjs'

const range = (count, make) => Array.from({ length: count }, (_, i) => make(i))
const sum = (values) => values.reduce((a, b) => a + b, 0)
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

export async function spawn({ tasks }) {
  async function child(i) {
    return i
  }
  // The body starts on a later microtask, as a task's must; this way is cheaper than an await at the head of the body.
  return sum(await Promise.all(range(tasks, (i) => Promise.resolve(i).then(child))))
}

export async function switching({ tasks, each }) {
  let last = -1
  let switches = 0
  async function worker(id) {
    for (let n = 0; n < each; n++) {
      await undefined
      if (last !== id) switches++
      last = id
    }
  }
  await Promise.all(range(tasks, worker))
  return switches
}

export async function pingpong({ rounds }) {
  return exchange(new Queue(1), new Queue(1), rounds)
}

export async function exchange(there, back, rounds) {
  async function echo() {
    for (let n = 0; n < rounds; n++) await back.put((await there.get()) + 1)
  }
  const echoing = echo()
  let total = 0
  for (let n = 0; n < rounds; n++) {
    await there.put(n)
    total += await back.get()
  }
  await echoing
  return total
}

export async function queue({ maxsize, ...params }) {
  return transfer(new Queue(maxsize), params)
}

export async function transfer(channel, { producers, consumers, items }) {
  async function producer(first) {
    for (let n = 0; n < items / producers; n++) await channel.put(first + n)
    return 0
  }
  async function consumer() {
    let total = 0
    for (let n = 0; n < items / consumers; n++) total += await channel.get()
    return total
  }
  return sum(await Promise.all([...range(producers, (i) => producer(i * items)), ...range(consumers, consumer)]))
}

export async function timers({ tasks, spread }) {
  async function sleeper(i) {
    await sleep((i * 7919) % spread)
    return i
  }
  return sum(await Promise.all(range(tasks, sleeper)))
}

export async function memory({ tasks }, meter) {
  let asleep = 0
  async function sleeper(i) {
    asleep++
    await sleep(3_600_000 + (i % 500))
  }
  meter.memoryBefore()
  const sleepers = range(tasks, sleeper)
  await sleep(meter.settle * 1000)
  meter.memoryAfter(asleep, sleepers)
}

export async function deep({ depth, times }) {
  async function level(n) {
    if (n > 1) return 1 + (await level(n - 1))
    await undefined
    return 1
  }
  let total = 0
  for (let n = 0; n < times; n++) total += await level(depth)
  return total
}

export async function resuspend({ depth, suspensions, times }) {
  async function level(n) {
    if (n > 1) return await level(n - 1)
    let count = 0
    for (; count < suspensions; count++) await undefined
    return count
  }
  let total = 0
  for (let n = 0; n < times; n++) total += await level(depth)
  return total
}

// Promises know no cancellation: each task gets an AbortController, and a sleep that listens to its signal.
function abortableSleep(ms, signal) {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

export async function cancel({ tasks }, meter) {
  async function sleeper(signal) {
    await abortableSleep(3_600_000, signal)
  }
  const sleepers = range(tasks, () => {
    const controller = new AbortController()
    return { controller, end: sleeper(controller.signal) }
  })
  await sleep(meter.settle * 1000)
  meter.lap()
  for (const { controller } of sleepers) controller.abort()
  const ends = await Promise.allSettled(sleepers.map(({ end }) => end))
  return ends.filter((end) => end.status === 'rejected' && end.reason.name === 'AbortError').length
}
