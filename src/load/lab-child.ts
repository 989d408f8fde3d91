// The child process of lab-process.ts: runs one lab, sends its results, and ends.
import { performance } from 'node:perf_hooks'
import type { LabMessage } from './lab-process.ts'
import type { LabOptions } from './lab.ts'
import type { LaneName } from './scenarios.ts'
import { runLab } from './lab.ts'
import { warm } from './warmup.ts'

const TELL_MS = 100
/** More samples than this are sent in several messages. */
const MOST_SAMPLES = 200

const controller = new AbortController()
process.on('SIGTERM', () => controller.abort())
// The parent process is gone.
process.on('disconnect', () => controller.abort())

function send(message: LabMessage): void {
  if (process.connected) process.send!(message)
}

async function run(options: LabOptions): Promise<void> {
  let probed: { lane: LaneName; samples: [number, number][] } | null = null
  const flush = (): void => {
    if (probed === null) return
    const { lane, samples } = probed
    probed = null
    for (let at = 0; at < samples.length; at += MOST_SAMPLES) send({ kind: 'probed', lane, samples: samples.slice(at, at + MOST_SAMPLES) })
  }
  const telling = setInterval(flush, TELL_MS)
  try {
    await warm(options.url, options.lanes)
    await runLab(options, {
      signal: controller.signal,
      laneStarted: (lane) => send({ kind: 'entered', lane }),
      probed: (lane, dueAt, ms) => {
        probed ??= { lane, samples: [] }
        probed.samples.push([performance.timeOrigin + dueAt, ms])
      },
      laneFinished: (result) => {
        flush()
        send({ kind: 'measured', result })
      },
    })
  } catch (error) {
    send({ kind: 'failed', message: (error as Error).message })
  }
  clearInterval(telling)
  flush()
  if (process.connected) process.disconnect()
}

process.once('message', (options: LabOptions) => void run(options))
