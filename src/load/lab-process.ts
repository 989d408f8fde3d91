// Runs a lab in a process of its own for a server to be measured by: nothing of the tester runs on the server's loop, and
// what it finds comes as messages.
import { fork, type ChildProcess } from 'node:child_process'
import type { LabOptions, LaneResult } from './lab.ts'
import type { LaneName } from './scenarios.ts'
import { ownEnvironment, ownPath } from '../launch.ts'

export type LabMessage =
  | { kind: 'entered'; lane: LaneName }
  /** When each probe was due, in ms of the epoch, and its latency in ms. */
  | { kind: 'probed'; lane: LaneName; samples: [due: number, ms: number][] }
  | { kind: 'measured'; result: LaneResult }
  | { kind: 'failed'; message: string }

/** A child that has been told to stop has so long to do it, in ms. */
const STOP_MS = 3000

export interface LabProcess {
  /** Stop it; what it has measured so far has been told. */
  cancel(): void
  /** It has ended, and why it failed, if it did. */
  readonly ended: Promise<string | null>
}

/** Start one. `onMessage` gets everything as it comes. Where the system starts no process, it has ended with the reason. */
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
      // What could not be sent to it, for instance, it would wait for.
      child.kill('SIGKILL')
    })
    child.on('close', (code) => resolve(failure ?? (code === 0 || cancelled ? null : `the tester ended with ${code}: ${said.trim()}`)))
  })
  // A process that was not started has no channel, and its error comes next.
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
