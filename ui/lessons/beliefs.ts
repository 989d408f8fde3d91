// What people believe of asyncio, and an experiment for each in which it fails: on this server, in this browser, with
// figures measured while you wait.
import { setAddress } from '../address.ts'
import type { Session } from '../session.ts'
import { duration } from '../recording/explain.ts'
import { pause, pingDuring, timed, together, type Result } from './measure.ts'
import { withoutLastAwait } from './variation.ts'

export interface Belief {
  id: string
  /** The belief, as people say it. */
  belief: string
  /** What is true, and what the experiment does. */
  truth: string
  /** About how long it takes, in words. */
  takes: string
  run(session: Session): Promise<Result>
  /** Where the same can be seen with one's own hands. */
  control: { label: string; open: (session: Session) => void | Promise<void> }
}

function live(session: Session): void {
  setAddress({ view: null }, true)
  session.showLive()
}

const SYNC = '/handlers/sync'

export const beliefs: readonly Belief[] = [
  {
    id: 'cannot-block',
    belief: 'A coroutine cannot block.',
    truth: 'Nothing stops it from calling a function that does. A handler here blocks for one second in the middle of a coroutine; a ping that has nothing to do with it is sent meanwhile.',
    takes: '1 s',
    async run(session) {
      const alone = await timed(session, '/ping')
      const { ping } = await pingDuring(session, `${SYNC}?thread=inline&ms=1000`)
      return {
        figures: [{ what: 'a ping, alone', seconds: alone }, { what: 'a ping, while a coroutine blocks', seconds: ping, surprising: true }],
        says: `The ping waited ${duration(ping)} for the loop: the word async does not make a call give way.`,
      }
    },
    control: { label: 'Stall the loop in the live view', open: async (session) => { live(session); await session.stall(1000) } },
  },
  {
    id: 'sync-to-async',
    belief: 'syncToAsync makes calls parallel.',
    truth: 'By default, as in Django, all such calls share one thread and queue for it. Five calls of 200 ms each are sent at once, first to the shared thread, then to the pool.',
    takes: '1.5 s',
    async run(session) {
      const five = (thread: string): Promise<number> => together(Array.from({ length: 5 }, () => () => timed(session, `${SYNC}?thread=${thread}&ms=200`)))
      const shared = await five('sensitive')
      const pool = await five('pool')
      return {
        figures: [{ what: 'five at once, one shared thread', seconds: shared, surprising: true }, { what: 'five at once, pool of threads', seconds: pool }],
        says: `On the shared thread they took ${duration(shared)}, one after the other; in the pool ${duration(pool)}.`,
      }
    },
    control: { label: 'See the shared thread queue', open: async (session) => { live(session); await Promise.all([1, 2, 3].map(() => session.attempt(session.api.stall(500, 'sensitive')))) } },
  },
  {
    id: 'two-stalls',
    belief: 'A stall is a stall.',
    truth: 'There are two. A stalled loop stops everything. A stalled sync thread stops only what needs that thread, and the loop goes on. In both cases a ping and another sync call are sent while something blocks for 700 ms.',
    takes: '2 s',
    async run(session) {
      const loop = await pingDuring(session, `${SYNC}?thread=inline&ms=700`)
      const thread = pingDuring(session, `${SYNC}?thread=sensitive&ms=700`)
      await pause(150)
      const second = await timed(session, `${SYNC}?thread=sensitive&ms=0`)
      const { ping } = await thread
      return {
        figures: [
          { what: 'loop stalled: a ping', seconds: loop.ping, surprising: true }, { what: 'sync thread stalled: a ping', seconds: ping },
          { what: 'sync thread stalled: another sync call', seconds: second, surprising: true },
        ],
        says: `While the thread was stalled a ping took ${duration(ping)}, though a sync call waited ${duration(second)}.`,
      }
    },
    control: { label: 'Open the live view', open: live },
  },
  {
    id: 'gather-blocking',
    belief: 'gather of three blocking seconds takes one second.',
    truth: 'What blocks holds the one thread that there is, so blocking times add up; only waiting can be done at once. This is example 4, in virtual time: each of its three tasks blocks for one second.',
    takes: 'no time',
    async run(session) {
      const { events } = await session.api.runVirtual(4, {})
      const ones = events.filter((event) => event.type === 'task.printed' && event.text === 'One')
      const start = events[0]?.t ?? 0
      return {
        figures: ones.map(({ t }, at) => ({ what: `task ${at + 1} gets to its first line after`, seconds: t - start, surprising: at > 0 })),
        says: 'The tasks began one second after each other: the sum of the blocking seconds, not the longest of them.',
      }
    },
    control: { label: 'Run example 4 for real', open: async (session) => { live(session); await session.start(4) } },
  },
  {
    id: 'unlimited-threads',
    belief: 'Threads are there for as many calls as come.',
    truth: 'A pool has a size, and what does not fit waits in line. One call of 300 ms is timed alone, then a good many more are asked for through the server at once.',
    takes: '2 s',
    async run(session) {
      const alone = await timed(session, `${SYNC}?thread=pool&ms=300`)
      const six = Array.from({ length: 6 }, () => () => timed(session, `${SYNC}?thread=pool&ms=300`))
      // A browser has six connections to one address; a second batch is sent as soon as they are free.
      const crowd = await together(Array.from({ length: 6 }, (_, at) => async () => await (six[at] as () => Promise<number>)() + await timed(session, `${SYNC}?thread=pool&ms=300`)))
      return {
        figures: [{ what: 'one call, alone', seconds: alone }, { what: 'twelve calls, six at a time', seconds: crowd, surprising: true }],
        says: `Two rounds of ${duration(alone)} would be ${duration(2 * alone)} with a thread for each; it took ${duration(crowd)}.`,
      }
    },
    control: { label: 'Open the live view', open: live },
  },
  {
    id: 'cancel-stops',
    belief: 'Cancelling stops it.',
    truth: 'Cancelling ends the task that waits for a thread. The thread cannot be stopped: it runs on, unheard, and keeps its place in the pool. A call of 1.2 s is given up after 200 ms, and the stream says how long its thread worked.',
    takes: '2 s',
    async run(session) {
      const before = session.live.lastSeq
      const control = new AbortController()
      const call = timed(session, `${SYNC}?thread=pool&ms=1200`, control.signal)
      await pause(200)
      control.abort()
      await call.catch(() => {})
      const gaveUp = 0.2
      for (let look = 0; look < 30; look++) {
        const ended = session.live.events.find((event) => event.seq > before && event.type === 'thread.finished' && event.mode === 'pool' && (event.seconds ?? 0) > 1)
        if (ended?.type === 'thread.finished') {
          return {
            figures: [{ what: 'given up after', seconds: gaveUp }, { what: 'its thread worked for', seconds: ended.seconds ?? 0, surprising: true }],
            says: `The client was gone after ${duration(gaveUp)}; the thread went on to the end of its ${duration(ended.seconds ?? 0)}.`,
          }
        }
        await pause(100)
      }
      throw new Error('The stream did not tell of the thread in time. Is the connection there?')
    },
    control: { label: 'See ghosts in the live view', open: live },
  },
  {
    id: 'serial-server',
    belief: 'My requests came back one after another, so the server is serial.',
    truth: 'It may be the browser that sends them so: it keeps six connections to one address, and may queue requests for the same thing. Twelve requests that each wait 300 ms, without blocking, leave here at once; the stream says when the server got each of them.',
    takes: '1 s',
    async run(session) {
      const before = session.live.lastSeq
      const whole = await together(Array.from({ length: 12 }, () => () => timed(session, '/handlers/async?ms=300')))
      await pause(200)
      const starts = session.live.events.filter((event) => event.seq > before && event.type === 'request.started' && event.url.startsWith('/handlers/async')).map(({ t }) => t)
      const spread = Math.max(...starts) - Math.min(...starts)
      return {
        figures: [{ what: 'twelve requests, seen from the browser', seconds: whole, surprising: true }, { what: 'between the first and the last arrival at the server', seconds: Number.isFinite(spread) ? spread : 0 }],
        says: `They took ${duration(whole)} instead of 300 ms, because the last of them reached the server only ${duration(Number.isFinite(spread) ? spread : 0)} after the first.`,
      }
    },
    control: { label: 'See the requests in the live view', open: live },
  },
  {
    id: 'await-starts',
    belief: 'await is what makes it run.',
    truth: 'createTask has put the task in line, and it runs whether or not somebody awaits it. This is example 3 without its last await, run here in this page.',
    takes: '1 s',
    async run() {
      const lines = await withoutLastAwait()
      const world = lines.find(({ text }) => text === 'world')
      if (world === undefined) throw new Error('The line did not come: has example 3 been changed?')
      return {
        figures: lines.map(({ text, t }) => ({ what: `“${text}” is printed at`, seconds: t, surprising: text === 'world' })),
        says: `“world” came at ${duration(world.t)}, though nobody awaited its task.`,
      }
    },
    control: { label: 'Take the await out yourself', open: () => setAddress({ view: 'playground', start: '3', program: null }, true) },
  },
  {
    id: 'another-worker',
    belief: 'Another worker will take it.',
    truth: 'A process whose loop is held still accepts connections, for the machine does that by itself, and then they wait with it. Three pings are sent, 200 ms apart, while the loop is held for one second.',
    takes: '1 s',
    async run(session) {
      const held = timed(session, `${SYNC}?thread=inline&ms=1000`)
      held.catch(() => {})
      const pings: Promise<number>[] = []
      for (let at = 1; at <= 3; at++) {
        await pause(at === 1 ? 100 : 200)
        pings.push(timed(session, '/ping'))
      }
      const times = await Promise.all(pings)
      await held
      return {
        figures: times.map((seconds, at) => ({ what: `ping ${at + 1}, sent ${100 + at * 200} ms into the stall`, seconds, surprising: true })),
        says: 'None was refused, and none went elsewhere: each waited for what was left of the stall.',
      }
    },
    control: { label: 'Stall the loop in the live view', open: async (session) => { live(session); await session.stall(1000) } },
  },
  {
    id: 'faster',
    belief: 'Async is faster.',
    truth: 'It is more at once, not sooner. One request alone takes as long either way; six at the same time do not. Each waits for 200 ms.',
    takes: '2 s',
    async run(session) {
      const six = (path: string): Promise<number> => together(Array.from({ length: 6 }, () => () => timed(session, path)))
      const oneAsync = await timed(session, '/handlers/async?ms=200')
      const oneSync = await timed(session, `${SYNC}?thread=sensitive&ms=200`)
      const sixAsync = await six('/handlers/async?ms=200')
      const sixSync = await six(`${SYNC}?thread=sensitive&ms=200`)
      return {
        figures: [
          { what: 'one, async', seconds: oneAsync, surprising: true }, { what: 'one, sync', seconds: oneSync },
          { what: 'six at once, async', seconds: sixAsync }, { what: 'six at once, sync', seconds: sixSync },
        ],
        says: `Alone they differ by ${duration(Math.abs(oneAsync - oneSync))}; six together took ${duration(sixAsync)} and ${duration(sixSync)}.`,
      }
    },
    control: { label: 'Open the live view', open: live },
  },
]
