// The observer's subscribers: a cursor, and one that stops reading.
import t from 'tap'
import { fetch } from 'undici'
import type { EventOf, LoopEvent, StreamEvent } from '../../src/events/schema.ts'
import { Model } from '../../src/events/model.ts'
import { eventually } from '../support/eventually.ts'
import { startServer, subscribe, type Subscriber } from './support.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

t.test('subscribers', async (t) => {
  const { url, observer } = await startServer(t, { HISTORY: '20000' })
  const work = async (runs: number): Promise<void> => {
    for (let n = 0; n < runs; n++) await (await fetch(`${url}/examples/5/run?items=2&seed=${n}&speed=1000`)).text()
  }

  await t.test('one that connects again 100 times with its cursor has every event once', async (t) => {
    const whole = await subscribe(observer)
    const hello = whole.messages[0] as EventOf<'stream.hello'>
    let busy = true
    const working = (async () => { while (busy) await work(1) })()
    const got: number[] = []
    let cursor = hello.seq
    for (let time = 0; time < 100; time++) {
      const one: Subscriber = await subscribe(observer, `?since=${hello.epoch}:${cursor}`)
      await pause((time * 7) % 23)
      one.socket.close()
      await one.closed
      for (const { seq } of one.messages.filter((event): event is LoopEvent => 'loop' in event)) {
        got.push(seq)
        cursor = seq
      }
    }
    busy = false
    await working
    t.same(got, got.map((_, at) => hello.seq + 1 + at), `${got.length} events`)
    t.ok(got.length > 500)
    whole.socket.close()
    await whole.closed
  })

  await t.test('one that stops reading does not delay the others, learns what it missed, and has a correct snapshot again', async (t) => {
    const { connect } = await import('node:net')
    const { port } = new URL(observer)
    const quick = await subscribe(observer)
    const lazy = connect(Number(port), '127.0.0.1')
    lazy.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n')
    let text = ''
    lazy.on('data', (chunk: Buffer) => { text += chunk.toString() })
    t.ok(await eventually(() => text.includes('stream.hello')))
    lazy.pause()
    const memory = async (): Promise<number> => Number(/^process_resident_memory_bytes (\d+)/m.exec(await (await fetch(`${observer}/metrics`)).text())![1])
    const before = await memory()
    // Enough to fill the buffers between the two, and the history.
    const dropped = async (): Promise<number> => Number(/^loopscope_events_total (\d+)/m.exec(await (await fetch(`${observer}/metrics`)).text())![1])
    while (await dropped() < 80_000) await Promise.all(Array.from({ length: 20 }, async (_, n) => (await fetch(`${url}/examples/5/run?items=50&seed=${n}&speed=1000`)).text()))
    t.ok(await memory() < before + 200e6, 'memory is bounded')
    lazy.resume()
    t.ok(await eventually(() => text.includes('event: stream.dropped')), 'it is told')
    await work(1)
    t.ok(await eventually(() => quick.messages.filter(({ type }) => type === 'run.finished').length > 0))
    const { tasks } = await (await fetch(`${observer}/tasks`, { headers: { accept: 'application/json' } })).json() as { tasks: { task: number }[] }
    await pause(200)
    const model = new Model()
    let missed = 0
    for (const [, data] of text.matchAll(/^data: (\{.*\})$/gm)) {
      const event = JSON.parse(data!) as StreamEvent
      if (event.type === 'stream.hello' || event.type === 'stream.dropped') {
        model.restore(event.snapshot!)
        if (event.type === 'stream.dropped') missed += event.count
      } else if (event.type !== 'stream.bookmark' && event.type !== 'stream.loop') model.apply(event)
    }
    t.ok(missed > 0)
    t.same([...model.tasks.keys()], tasks.map(({ task }) => task), 'its picture is right')
    const events = quick.messages.filter((event): event is LoopEvent => 'loop' in event)
    t.ok(events.every(({ seq }, at) => seq === events[0]!.seq + at), `the other one has all ${events.length}`)
    lazy.destroy()
    quick.socket.close()
    await quick.closed
  })
})
