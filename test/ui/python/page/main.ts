// A page with the playground's threads and nothing else: tests run programs in it and get what the gate lets through.
import type { FromGate } from '../../../../ui/playground/messages.ts'
import { Threads } from '../../../../ui/playground/threads.ts'
import type { PythonPage, Ran } from '../run.ts'

const threads = new Threads(document.body)

const api: PythonPage = {
  prepare: async () => {
    const from = performance.now()
    await threads.prepare()
    return performance.now() - from
  },
  run: ({ program, clock, until = 60, cancelAfter, endAfter = 60_000 }) => new Promise((resolve, reject) => {
    const from = performance.now()
    const ran: Ran = { events: [], said: [], refused: 0, first: 0, ended: 0 }
    let pings = 0
    const finish = (): void => {
      clearInterval(timer)
      clearTimeout(late)
      ran.ended = performance.now() - from
      void line.then((one) => one.end())
      resolve(ran)
    }
    const receive = ({ items, refused, over }: FromGate): void => {
      ran.refused = refused
      for (const item of items) {
        if (item.type === 'event') ran.events.push(item.event)
        else ran.said.push(item)
        if (ran.first === 0 && (item.type === 'line' || (item.type === 'event' && item.event.type === 'task.printed'))) ran.first = performance.now() - from
      }
      if (over !== undefined) ran.said.push({ type: 'line', text: `over: ${over}` })
      if (over !== undefined || items.some(({ type }) => type === 'ended')) finish()
      else void line.then((one) => one.send({ type: 'more' }))
    }
    const line = threads.open({ type: 'start', program, clock, until, steps: null }, receive)
    line.catch(reject)
    const timer = setInterval(() => void line.then((one) => one.send({ type: 'ping', count: ++pings })), 100)
    const late = setTimeout(finish, endAfter)
    if (cancelAfter !== undefined) void line.then((one) => setTimeout(() => one.send({ type: 'cancel', reason: 'Cancelled by the test.' }), cancelAfter))
  }),
}

Object.assign(globalThis, { pythonPage: api })
