// Misconceptions about asyncio, and for each an experiment that disproves it: on this server, in this browser, with figures
// measured while you wait.
import { setAddress } from '../address.ts'
import type { Language } from '../language.ts'
import type { Session } from '../session.ts'
import { duration } from '../recording/explain.ts'
import { runExample } from './run-example.ts'
import { pause, pingDuring, timed, together, type Result } from './measure.ts'
import { sourceOf } from '../playground/examples.ts'
import { AWAITS, notAwaited, openNotAwaited, runNotAwaited } from './not-awaited.ts'

export interface Belief {
  id: string
  /** The misconception, as people put it. */
  belief: string
  /** The truth, and what the experiment does. */
  truth: string
  /** The program that refutes it, if that is not a request to the server. */
  program?: Readonly<Record<Language, string>>
  /** About how long it takes, as text. */
  takes: string
  run(session: Session, language: Language): Promise<Result>
  /** A button for trying the same by hand. */
  control: { label: string; open: (session: Session, language: Language) => void | Promise<void> }
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
    truth: 'A coroutine can call any function, and some functions block. Here a handler blocks for one second in the middle of a coroutine. Meanwhile, the page sends an unrelated ping.',
    takes: '1 s',
    async run(session) {
      const alone = await timed(session, '/ping')
      const { ping } = await pingDuring(session, `${SYNC}?thread=inline&ms=1000`)
      return {
        figures: [{ what: 'a ping, alone', seconds: alone }, { what: 'a ping, while a coroutine blocks', seconds: ping, surprising: true }],
        shown: ping > 2 * alone && ping > 0.3,
        says: `The ping waited ${duration(ping)} for the loop: a blocking call never yields, and the word async does not change that.`,
      }
    },
    control: { label: 'Stall the loop in the live view', open: async (session) => { live(session); await session.stall(1000) } },
  },
  {
    id: 'sync-to-async',
    belief: 'syncToAsync makes calls parallel.',
    truth: 'By default, as in Django, all such calls share one thread, and they queue for it. Five calls of 200 ms each are sent at once, first to the shared thread, then to the pool.',
    takes: '1.5 s',
    async run(session) {
      const five = (thread: string): Promise<number> => together(Array.from({ length: 5 }, () => () => timed(session, `${SYNC}?thread=${thread}&ms=200`)))
      const shared = await five('sensitive')
      const pool = await five('pool')
      return {
        figures: [{ what: 'five at once, one shared thread', seconds: shared, surprising: true }, { what: 'five at once, pool of threads', seconds: pool }],
        shown: shared > 2 * pool,
        says: `On the shared thread they took ${duration(shared)}, one after the other; in the pool ${duration(pool)}.`,
      }
    },
    control: { label: 'See the shared thread queue', open: async (session) => { live(session); await Promise.all([1, 2, 3].map(() => session.attempt(session.api.stall(500, 'sensitive')))) } },
  },
  {
    id: 'two-stalls',
    belief: 'All stalls are the same.',
    truth: 'There are two kinds. A stalled loop stops everything. A stalled sync thread stops only the calls that need this thread, and the loop goes on. A call blocks the loop for 700 ms, then the sync thread. The page sends a ping during each, and another sync call during the second.',
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
        shown: ping < second && ping < loop.ping,
        says: `While the thread was stalled, a ping took only ${duration(ping)}, but a sync call took ${duration(second)}.`,
      }
    },
    control: { label: 'Open the live view', open: live },
  },
  {
    id: 'gather-blocking',
    belief: 'gather of three blocking seconds takes one second.',
    truth: 'There is only one thread, and a blocking call blocks it, so blocking times add up. Only waits can pass at the same time. This is example 4, in virtual time: each of its three tasks blocks for one second.',
    program: sourceOf(4),
    takes: 'no time',
    async run(session, language) {
      const { lines, zero } = await runExample(session, 4, language, 0)
      const times = lines.filter(({ text }) => text === 'One').map(({ t }) => t - zero)
      const last = times.at(-1)
      if (last === undefined) throw new Error('The lines were not printed. Was example 4 changed?')
      return {
        figures: times.map((seconds, at) => ({ what: `task ${at + 1} reaches its first line after`, seconds, surprising: at > 0 })),
        shown: last > 1,
        says: `The last task began after ${duration(last)}, because the others blocked the loop before it: blocking seconds add up.`,
      }
    },
    control: { label: 'Run example 4 for real', open: async (session) => { live(session); await session.start(4) } },
  },
  {
    id: 'unlimited-threads',
    belief: 'There is a thread for every call.',
    truth: 'A pool has a fixed size, and further calls wait for a free thread. The page measures one call of 300 ms alone, then twelve such calls, six at a time.',
    takes: '2 s',
    async run(session) {
      const alone = await timed(session, `${SYNC}?thread=pool&ms=300`)
      const six = Array.from({ length: 6 }, () => () => timed(session, `${SYNC}?thread=pool&ms=300`))
      // A browser opens six connections to one address; a second batch is sent as soon as they are free.
      const crowd = await together(Array.from({ length: 6 }, (_, at) => async () => await (six[at] as () => Promise<number>)() + await timed(session, `${SYNC}?thread=pool&ms=300`)))
      return {
        figures: [{ what: 'one call, alone', seconds: alone }, { what: 'twelve calls, six at a time', seconds: crowd, surprising: true }],
        shown: crowd > 3 * alone,
        says: `Two rounds of ${duration(alone)} would be ${duration(2 * alone)} with a thread for each; it took ${duration(crowd)}.`,
      }
    },
    control: { label: 'Open the live view', open: live },
  },
  {
    id: 'cancel-stops',
    belief: 'Cancelling stops it.',
    truth: 'Cancelling ends the task that waits for a thread. The thread itself cannot be stopped: it is detached, runs on, and still occupies the pool. The page cancels a call of 1.2 s after 200 ms, and the events say how long its thread worked.',
    takes: '2 s',
    async run(session) {
      const before = session.live.lastSeq
      const control = new AbortController()
      const began = performance.now()
      const call = timed(session, `${SYNC}?thread=pool&ms=1200`, control.signal)
      await pause(200)
      control.abort()
      await call.catch(() => {})
      const gaveUp = (performance.now() - began) / 1000
      for (let look = 0; look < 30; look++) {
        const ended = session.live.events.find((event) => event.seq > before && event.type === 'thread.finished' && event.mode === 'pool' && (event.seconds ?? 0) > 1)
        if (ended?.type === 'thread.finished' && ended.seconds !== undefined) {
          return {
            figures: [{ what: 'cancelled after', seconds: gaveUp }, { what: 'its thread worked for', seconds: ended.seconds, surprising: true }],
            shown: ended.seconds > 2 * gaveUp,
            says: `The client disconnected after ${duration(gaveUp)}; the thread still ran for all of its ${duration(ended.seconds)}.`,
          }
        }
        await pause(100)
      }
      throw new Error('The event for the end of the thread did not arrive in time. Check the connection.')
    },
    control: { label: 'See detached threads in the live view', open: live },
  },
  {
    id: 'serial-server',
    belief: 'My requests were answered one after another, so the server is serial.',
    truth: 'The browser may send them one after another: it keeps six connections to one address, and may queue requests for the same address. The page sends twelve requests at once; each waits 300 ms, without blocking. The events say when the server received each of them.',
    takes: '1 s',
    async run(session) {
      const before = session.live.lastSeq
      const whole = await together(Array.from({ length: 12 }, () => () => timed(session, '/handlers/async?ms=300')))
      await pause(200)
      const starts = session.live.events.filter((event) => event.seq > before && event.type === 'request.started' && event.url.startsWith('/handlers/async')).map(({ t }) => t)
      if (starts.length < 2) throw new Error('The events of the requests did not arrive in time. Check the connection.')
      const spread = Math.max(...starts) - Math.min(...starts)
      return {
        figures: [{ what: 'twelve requests, seen from the browser', seconds: whole, surprising: true }, { what: 'between the first and the last arrival at the server', seconds: spread }],
        shown: spread > 0.15,
        says: `They took ${duration(whole)} instead of 300 ms, because the last of them reached the server only ${duration(spread)} after the first.`,
      }
    },
    control: { label: 'See the requests in the live view', open: live },
  },
  {
    id: 'await-starts',
    belief: 'await is what makes it run.',
    truth: 'createTask puts a task into the ready queue, and the loop runs it whenever main waits for anything. Awaiting a task only waits for its end. This program runs in the page, in virtual time: its task has begun and ended long before main awaits it. Only a coroutine of which no task was made needs an await to run.',
    program: notAwaited,
    takes: '1 s',
    async run(_session, language) {
      const lines = await runNotAwaited(language)
      const at = (text: string): number => {
        const line = lines.find((one) => one.text === text)
        if (line === undefined) throw new Error(`The program did not print “${text}”.`)
        return line.t
      }
      const [began, ended, awaited] = [at('the task begins'), at('the task ends'), at(AWAITS)]
      return {
        figures: lines.map(({ text, t }) => ({ what: `“${text}”`, seconds: t, surprising: text.startsWith('the task') })),
        shown: ended < awaited,
        says: `The task began at ${duration(began)} and ended at ${duration(ended)}. main awaited it at ${duration(awaited)}: there was nothing left to run.`,
      }
    },
    control: { label: 'Change it in the playground', open: (_session, language) => openNotAwaited(language) },
  },
  {
    id: 'another-worker',
    belief: 'Another worker will take it.',
    truth: 'A process whose loop is blocked still accepts connections, because the operating system does that. Then these connections wait for the loop. The page sends three pings, 200 ms apart, while the loop is blocked for one second.',
    takes: '1 s',
    async run(session) {
      const began = performance.now()
      const blocked = timed(session, `${SYNC}?thread=inline&ms=1000`)
      blocked.catch(() => {})
      const pings: Promise<{ sent: number; seconds: number }>[] = []
      for (let count = 1; count <= 3; count++) {
        await pause(count === 1 ? 100 : 200)
        const sent = (performance.now() - began) / 1000
        pings.push(timed(session, '/ping').then((seconds) => ({ sent, seconds })))
      }
      const answered = await Promise.all(pings)
      await blocked
      return {
        figures: answered.map(({ sent, seconds }, at) => ({ what: `ping ${at + 1}, sent ${duration(sent)} after the blocking request`, seconds, surprising: true })),
        shown: answered.every(({ sent, seconds }) => sent + seconds > 0.9),
        says: `Every ping was answered, and none before ${duration(Math.min(...answered.map(({ sent, seconds }) => sent + seconds)))} had passed: each waited for the rest of the stall.`,
      }
    },
    control: { label: 'Stall the loop in the live view', open: async (session) => { live(session); await session.stall(1000) } },
  },
  {
    id: 'faster',
    belief: 'Async is faster.',
    truth: 'Async serves more requests at the same time; it does not serve one request faster. One request alone takes as long either way, but six at the same time do not. Each waits for 200 ms.',
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
        shown: sixAsync < sixSync / 2,
        says: `One request alone differs by ${duration(Math.abs(oneAsync - oneSync))}. Six together took ${duration(sixAsync)} async and ${duration(sixSync)} sync.`,
      }
    },
    control: { label: 'Open the live view', open: live },
  },
]
