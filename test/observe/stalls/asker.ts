// A worker thread that takes stacks as ordered, and posts the results.
import { parentPort, workerData } from 'node:worker_threads'
import { culpritOf, Stacks, type Frame, type StacksOptions } from '../../../src/observe/stacks.ts'

export interface Order {
  /** The ms until the first, from now. */
  after: number
  times?: number
  /** The ms between two. */
  every?: number
  /** How many calls ask for each. */
  together?: number
  /** The stacks are closed after this many further ms. */
  close?: number
  /** The thread ends after this many further ms. */
  die?: number
}

export interface Seen {
  /** From the question to the answer. */
  ms: number
  frames: Frame[] | null
  culprit: Frame | null
  /** Whether a debugger had paused the thread. */
  paused: boolean
  /** Whether all calls got the same answer. */
  same: boolean
}

const { asked: told, options } = workerData as { asked: Int32Array; options: StacksOptions }
const stacks = new Stacks(options)
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

parentPort!.on('message', (order: Order) => {
  void (async () => {
    const { after, times = 1, every = 0, together = 1, close, die } = order
    await sleep(after)
    if (close !== undefined) setTimeout(() => void stacks.close(), close)
    if (die !== undefined) setTimeout(() => process.exit(), die)
    for (let i = 0; i < times; i++) {
      if (i > 0) await sleep(every)
      const asked = performance.now()
      const taken = await Promise.all(Array.from({ length: together }, () => stacks.take()))
      const frames = taken[0] == null || taken[0].frames.length === 0 ? null : taken[0].frames
      const seen: Seen = { ms: performance.now() - asked, frames, culprit: culpritOf(frames ?? []), paused: taken[0]?.paused ?? false, same: taken.every((one) => one === taken[0]) }
      parentPort!.postMessage(seen)
    }
    Atomics.store(told, 0, 1)
    Atomics.notify(told, 0)
    parentPort!.postMessage('done')
  })()
})
parentPort!.postMessage('ready')
