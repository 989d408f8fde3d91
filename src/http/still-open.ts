// What a server that closes still waits for: its requests, other tasks of its loop, and its connections, each in one line.
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { EventLoop } from '../runtime/loop.ts'
import type { Task } from '../runtime/task.ts'
import { nameOf } from '../runtime/names.ts'
import { firstUnanswered } from './connections.ts'
import type { ServedTask } from './served-task.ts'

/** How many of each are named, and the longest line. */
const MOST_NAMED = 20
const LONGEST = 200
/** Cancelled tasks have this many seconds to clean up before they are named. */
const AGAIN_SECONDS = 2

export interface StillOpen {
  requests: string[]
  tasks: string[]
  connections: string[]
}

/** The connections of a server, from now on. */
export class Connections {
  readonly #open = new Set<Socket>()

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#open.add(socket)
      socket.once('close', () => this.#open.delete(socket))
    })
  }

  describe(): string[] {
    return [...this.#open].map((socket) => {
      const request = firstUnanswered(socket)
      const what = request === null ? 'no request: it is idle, or a WebSocket' : `${request.method} ${request.url}`
      return `${socket.remoteAddress ?? 'a client that is gone'}:${socket.remotePort ?? ''}, ${what}`
    })
  }
}

/** `requests` are those that coroutines serve; those of other handlers are named with their connections. */
export function stillOpen(loop: EventLoop, requests: Iterable<ServedTask>, connections: Connections): StillOpen {
  const serving = new Set([...requests].flatMap(({ task }) => task ?? []))
  const others = [...loop.liveTasks()].filter((task) => !serving.has(task))
  return { requests: named([...serving].map(waits)), tasks: named(others.map(waits)), connections: named(connections.describe()) }
}

/** How much of each is left, as text; '' if nothing is. */
export function summaryOf({ requests, tasks, connections }: StillOpen): string {
  const parts = [[requests, 'request'], [tasks, 'task'], [connections, 'connection']] as const
  return parts.filter(([list]) => list.length > 0).map(([list, what]) => `${list.length > MOST_NAMED ? `more than ${MOST_NAMED}` : list.length} ${what}${list.length === 1 ? '' : 's'}`).join(', ')
}

/** While a plugin's app closes, reports once after `seconds` what it waits for, and once more a while after those were cancelled. */
export function reportStillOpen(seconds: number, read: () => StillOpen, warn: (left: StillOpen, message: string) => void): () => void {
  const timers = [0, AGAIN_SECONDS].map((later) => setTimeout(() => {
    const left = read()
    const summary = summaryOf(left)
    if (summary !== '') warn(left, `the app has been closing for ${seconds + later} s, and waits for ${summary}`)
  }, (seconds + later) * 1000).unref())
  return () => timers.forEach(clearTimeout)
}

function waits(task: Task<unknown>): string {
  const on = task.waiter?.describeWait()
  const label = on?.of === undefined ? on?.label : nameOf(on.of).text
  const cancelling = task.cancelling() > 0 ? ', cancelled' : ''
  return `${task.getName()} ${on === undefined ? 'is ready' : `waits for ${[on.kind, label].filter((part) => part !== undefined).join(' ')}`}${cancelling}`
}

function named(lines: string[]): string[] {
  const shown = lines.slice(0, MOST_NAMED).map((line) => (line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line))
  return lines.length > MOST_NAMED ? [...shown, `and ${lines.length - MOST_NAMED} more`] : shown
}
