// Runs a lab in a separate process, for a server to measure itself: nothing of the tester runs on the server's loop, and
// results arrive as messages.
import { fork, type ChildProcess } from 'node:child_process'
import type { LabOptions, LaneResult } from './lab.ts'
import type { LaneName } from './scenarios.ts'
import { ownEnvironment, ownPath } from '../launch.ts'

export type LabMessage =
  | { kind: 'entered'; lane: LaneName }
  /** When each probe was due, in ms since 1970, and its latency in ms. */
  | { kind: 'probed'; lane: LaneName; samples: [due: number, ms: number][] }
  | { kind: 'measured'; result: LaneResult }
  | { kind: 'failed'; message: string }

/** How long a child may take to stop, in ms. */
const STOP_MS = 3000

export interface LabProcess {
  /** Stops it; its results so far have been sent. */
  cancel(): void
  /** It has ended, and why it failed, if it did. */
  readonly ended: Promise<string | null>
}

/** Starts one. `onMessage` receives each message. If the system starts no process, `ended` resolves with the reason. */
export function startLab(options: LabOptions, onMessage: (message: LabMessage) => void): LabProcess {
  let child: ChildProcess
  try {
    child = fork(ownPath('./lab-child', import.meta.url), { execArgv: [], env: ownEnvironment(), stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  } catch (error) {
    return { ended: Promise.resolve(notStarted(error as Error)), cancel: () => {} }
  }
  let failure: string | null = null
  let said = ''
  let cancelled = false
  child.stderr?.on('data', (chunk) => {
    said = `${said}${String(chunk)}`.slice(-1000)
  })
  child.on('message', (message: LabMessage) => {
    if (message.kind === 'failed') failure = message.message
    onMessage(message)
  })
  const ended = new Promise<string | null>((resolve) => {
    child.on('error', (error) => {
      resolve(child.pid === undefined ? notStarted(error) : error.message)
      // For example, it would wait forever for a message that could not be sent.
      child.kill('SIGKILL')
    })
    child.on('close', (code) => resolve(failure ?? (code === 0 || cancelled ? null : `the tester ended with ${code}: ${said.trim()}`)))
  })
  // A process that was not started has no channel, and its error follows.
  if (child.connected) child.send(options)
  return {
    ended,
    cancel: () => {
      if (cancelled) return
      cancelled = true
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      void ended.then(() => clearTimeout(timer))
    },
  }
}

function notStarted({ message }: Error): string {
  return `the tester could not be started: ${message}`
}
