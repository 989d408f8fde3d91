// The thread of the playground: runs one program on the runtime, reports everything to the page, and is then discarded.
import { defaultHost, setDefaultHost } from '../../../src/runtime/host.ts'
import { getRunningLoop, print } from '../../../src/browser.ts'
import type { FromThread, ToThread } from '../messages.ts'
import { SourceMap } from '../source-map.ts'
import { Sources } from './failure.ts'
import { PlaygroundHost } from './host.ts'
import { makeLoops } from './loops.ts'
import { HOOKS, publish } from './modules.ts'
import { Outbox } from './outbox.ts'
import { knowProxies } from './preview.ts'
import { Steps } from './steps.ts'
import { Watch } from './watch.ts'

const ENTRY = 'program.ts'

type Start = ToThread & { type: 'start'; program: { language: 'typescript' } }
type Ending = Omit<FromThread & { type: 'ended' }, 'type'>

function start({ program: { modules }, clock, until, steps: options }: Start, port: MessagePort): void {
  const sources = new Sources(new Map(modules.map(({ name, mappings }) => [name, new SourceMap(mappings)])))
  const interrupt = new AbortController()
  let note: string | null = null
  let ended = false
  const end = (ending: Ending): void => {
    if (ended) return
    ended = true
    outbox.send({ type: 'ended', ...ending })
    outbox.close()
  }
  const outbox = new Outbox(port, sources, (what) => end({ outcome: 'cancelled', failure: null, note: `It has reached ${what}, the limit of the playground.` }))
  const watch = new Watch(outbox, sources)
  const loops = makeLoops(outbox, sources, watch, interrupt.signal)
  const steps = options === null ? null : new Steps(options, (make) => watch.exclude(() => outbox.send(make())), loops.taskId)
  if (steps !== null) knowProxies()

  setDefaultHost(new PlaygroundHost(defaultHost(), clock, until, {
    blocking: (seconds) => watch.blocking(seconds),
    over: () => {
      note = `Its clock reached ${until} s, so it was cancelled, as by Ctrl-C.`
      interrupt.abort(new Error('the time limit is reached'))
    },
    pause: (fn) => {
      if (steps === null) fn()
      else steps.pause(fn)
    },
    line: (text) => {
      if (!insideLoop()) outbox.send({ type: 'line', text })
    },
    report: (text) => outbox.send({ type: 'report', failure: { text, stack: [] } }),
  }))

  port.onmessage = ({ data }: MessageEvent<ToThread>) => {
    watch.free()
    if (data.type === 'ping') outbox.send({ type: 'pong', count: data.count, idle: loops.idle })
    else if (data.type === 'go') steps?.go(data.steps)
    else if (data.type === 'cancel') {
      note ??= data.reason
      interrupt.abort(new Error(data.reason))
      steps?.end()
    }
  }
  for (const method of ['log', 'info', 'debug'] as const) console[method] = (...values: unknown[]) => print(...values)
  for (const method of ['warn', 'error'] as const) {
    console[method] = (...values: unknown[]) => outbox.send({ type: 'report', failure: { text: defaultHost().format(values), stack: sources.stack(new Error('console').stack) } })
  }
  addEventListener('unhandledrejection', (event) => {
    event.preventDefault()
    end(endingOf(event.reason, sources, note))
  })
  addEventListener('error', (event) => {
    event.preventDefault()
    outbox.send({ type: 'report', failure: sources.failure(event.error ?? event.message) })
  })

  const runAll = async (): Promise<Ending> => {
    const hooks = { held: watch.held, ...steps?.hooks }
    const program = await import(/* @vite-ignore */ publish(modules, ENTRY, { loopscope: loops.api, [HOOKS]: hooks })) as { main?: unknown }
    if (loops.runs === 0 && typeof program.main === 'function') await loops.run((program.main as () => never)())
    else if (loops.runs === 0) return { outcome: 'returned', failure: null, note: 'No loop ran: export a coroutine called main, or call run().' }
    await loops.settled()
    return { outcome: 'returned', failure: null, note }
  }
  outbox.send({ type: 'ready' })
  runAll().then(end, (error: unknown) => end(endingOf(error, sources, note)))
}

function endingOf(error: unknown, sources: Sources, note: string | null): Ending {
  const cancelled = error instanceof Error && (error.name === 'CancelledError' || error.name === 'KeyboardInterrupt')
  return cancelled ? { outcome: 'cancelled', failure: null, note } : { outcome: 'raised', failure: sources.failure(error), note }
}

function insideLoop(): boolean {
  try {
    getRunningLoop()
    return true
  } catch {
    return false
  }
}

addEventListener('message', ({ data, ports }: MessageEvent<ToThread>) => {
  const [port] = ports
  if (data.type === 'start' && data.program.language === 'typescript' && port !== undefined) start(data as Start, port)
}, { once: true })
