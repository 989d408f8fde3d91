// Native promises where the usual program can be undercut: bodies that start at once, and queues that hand items over directly.
import { exchange, transfer } from './native.mjs'
import { DirectQueue } from './native-queue.mjs'

export async function spawn({ tasks }) {
  async function child(i) {
    return i
  }
  const values = await Promise.all(Array.from({ length: tasks }, (_, i) => child(i)))
  return values.reduce((a, b) => a + b, 0)
}

export async function pingpong({ rounds }) {
  return exchange(new DirectQueue(1), new DirectQueue(1), rounds)
}

export async function queue({ maxsize, ...params }) {
  return transfer(new DirectQueue(maxsize), params)
}
