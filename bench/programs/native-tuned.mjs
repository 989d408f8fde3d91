// Native promises with shortcuts: bodies that start at once, queues that give items directly to waiters, and a simpler sleep
// for AbortSignals than the platform's.
import { cancelAll, exchange, transfer } from './native.mjs'
import { DirectQueue } from './native-queue.mjs'

async function child(i) {
  return i
}

export async function spawn({ tasks }) {
  const values = await Promise.all(Array.from({ length: tasks }, (_, i) => child(i)))
  return values.reduce((a, b) => a + b, 0)
}

export const pingpong = ({ rounds }) => exchange(new DirectQueue(1), new DirectQueue(1), rounds)

export const queue = (params) => transfer(new DirectQueue(params.maxsize), params)

function bareSleep(ms, signal) {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve(undefined)
    }, ms)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

export const cancel = ({ tasks }, meter) => cancelAll(tasks, meter, bareSleep)
