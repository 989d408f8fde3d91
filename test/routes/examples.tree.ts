// The tutorial's examples: a run on the server prints the tutorial's lines at the tutorial's times, and the same as its Python
// twin in CPython 3.14.
import { readFile } from 'node:fs/promises'
import { startPython } from '../support/pyodide.ts'
import t from 'tap'
import { examples, source } from '../../examples/catalogue.ts'
import type { Trace } from '../../src/events/render/trace.ts'
import { loopEvent, type LoopEvent } from '../../src/events/schema.ts'
import type { App } from '../../src/server/app.ts'
import { build } from '../support/server.ts'

interface Result {
  run: number
  example: number
  seconds: number
  outcome: string
  clock: string
  output: { t: number; task: string; text: string }[]
}

let app: App
t.before(async () => { app = await build(t) })

async function result(path: string): Promise<Result> {
  const response = await app.inject({ url: path, headers: { accept: 'application/json' } })
  t.equal(response.statusCode, 200, path)
  return response.json<Result>()
}

const lines = ({ output }: Result): [number, string][] => output.map(({ t, text }) => [t, text])

t.test('in virtual time', async (t) => {
  await t.test('each prints the tutorial\'s lines at the tutorial\'s times', async (t) => {
    t.same(lines(await result('/examples/1/run?clock=virtual')), [[0, 'hello'], [1, 'world']])
    t.same(lines(await result('/examples/2/run?clock=virtual')), [[2, 'hello'], [8, 'world']])
    t.same(lines(await result('/examples/3/run?clock=virtual')), [[3, 'hello'], [3, 'world']])
    t.same(lines(await result('/examples/4/run?clock=virtual')), [[0, 'One'], [1, 'One'], [2, 'One'], [3, 'Two'], [3, 'Two'], [4, 'Two']])
    t.match(await result('/examples/2/run?clock=virtual'), { example: 2, outcome: 'returned', seconds: 8, clock: 'virtual' })
  })

  await t.test('speed divides the delays', async (t) => {
    t.same(lines(await result('/examples/2/run?clock=virtual&speed=4')), [[0.5, 'hello'], [2, 'world']])
    t.same(lines(await result('/examples/4/run?clock=virtual&speed=10')).at(-1), [0.4, 'Two'])
  })

  await t.test('the same seed gives the same run, another seed another run', async (t) => {
    const path = '/examples/5/run?clock=virtual&items=4&producers=2&consumers=3&maxsize=1&seed='
    const first = lines(await result(`${path}7`))
    t.equal(first.length, 16, 'each of 8 items is produced and got')
    t.same(lines(await result(`${path}7`)), first)
    t.notSame(lines(await result(`${path}8`)), first)
  })
})

t.test('on the server\'s loop', async (t) => {
  await t.test('prints the same lines in the same order', async (t) => {
    for (const { number } of examples.slice(0, 4)) {
      const real = lines(await result(`/examples/${number}/run?speed=20`)).map(([, text]) => text)
      t.same(real, lines(await result(`/examples/${number}/run?clock=virtual`)).map(([, text]) => text), `example ${number}`)
    }
  })

  await t.test('streams text as it is printed, and its timeline on request', async (t) => {
    const response = await app.inject('/examples/3/run?speed=50&draw')
    t.match(response.headers, { 'content-type': 'text/plain; charset=utf-8', 'x-run-id': /^\d+$/, link: /\/view\?run=\d+/ })
    t.match(response.body, /^hello\nworld\n\nmain +│/)
    t.equal((await app.inject('/examples/3/run?speed=50&draw=false')).body, 'hello\nworld\n')
  })

  await t.test('streams its events as NDJSON, all of this run, from its start to its end', async (t) => {
    for (const clock of ['real', 'virtual']) {
      const { body, headers } = await app.inject({ url: `/examples/3/run?speed=50&clock=${clock}`, headers: { accept: 'application/x-ndjson' } })
      t.equal(headers['content-type'], 'application/x-ndjson')
      const events = body.trim().split('\n').map((line) => JSON.parse(line) as LoopEvent)
      for (const event of events) t.ok(loopEvent.safeParse(event).success, event.type)
      t.equal(events[0]!.type, 'run.started')
      t.equal(events.at(-1)!.type, 'run.finished')
      t.same([...new Set(events.map(({ run }) => run))], [Number(headers['x-run-id'])])
      t.equal(events.filter(({ type }) => type === 'task.created').length, 3)
    }
  })

  await t.test('is kept: what ran, what it printed, and its trace', async (t) => {
    const { run } = await result('/examples/4/run?clock=virtual')
    t.match((await app.inject('/runs')).json(), { runs: [{ run, example: 4, outcome: 'returned', seconds: 4 }] })
    t.equal((await app.inject(`/runs/${run}`)).json<Result>().output.length, 6)
    const trace = (await app.inject(`/runs/${run}/trace`)).json<Trace>()
    const count = trace.traceEvents.filter(({ ph, tid }) => ph === 'X' && tid === 0).map(({ dur }) => dur)
    t.equal(count.filter((dur) => dur === 1e6).length, 3, 'three steps hold the loop for a second each')
  })

  await t.test('leaves no task', async (t) => {
    t.equal(app.loopscope.loop.liveTasks().size, 0)
    t.equal(app.runs.live, 0)
  })
})

t.test('the source that is shown of an example is the one that runs', async (t) => {
  const list = (await app.inject('/examples')).json<{ number: number; title: string }[]>()
  t.same(list.map(({ number }) => number), [1, 2, 3, 4, 5])
  for (const example of examples) {
    const shown = (await app.inject(`/examples/${example.number}`)).json<Record<string, string>>()
    t.equal(shown['typescript'], await readFile(new URL(`../../examples/${example.file}.ts`, import.meta.url), 'utf8'))
    t.equal(shown['python'], source(example, 'py'))
    t.match(shown['explanation'], /Look for:/)
  }
})

t.test('the Python twins, run by CPython', async (t) => {
  const python = await startPython()
  t.match(python.runPython('import sys; sys.version'), /^3\.14/)
  for (const file of ['../conformance/virtualloop.py', 'twin.py']) python.runPython(await readFile(new URL(file, import.meta.url), 'utf8'))
  const runTwin = (python.globals as unknown as { get(name: string): (source: string, helper: string, parameters: string) => string }).get('run_twin')
  const helper = await readFile(new URL('../../examples/chance.py', import.meta.url), 'utf8')
  const twin = (number: number, parameters: object = {}): [number, string][] => {
    const example = examples.find((one) => one.number === number)!
    return JSON.parse(runTwin(source(example, 'py'), helper, JSON.stringify(parameters))) as [number, string][]
  }

  await t.test('print what ours print, at the same times', async (t) => {
    for (const number of [1, 2, 3, 4]) t.same(lines(await result(`/examples/${number}/run?clock=virtual`)), twin(number), `example ${number}`)
  })

  await t.test('print the same letters at the same times from the same seed, example 5', async (t) => {
    for (const [parameters, query] of [
      [{ items: 5, seed: 1 }, 'items=5&seed=1'],
      [{ items: 3, seed: 4294967295, producers: 5, consumers: 1, maxsize: 2 }, 'items=3&seed=4294967295&producers=5&consumers=1&maxsize=2'],
      [{ items: 20, seed: 12345, producers: 1, consumers: 4 }, 'items=20&seed=12345&producers=1&consumers=4'],
    ] as const) {
      const ours = lines(await result(`/examples/5/run?clock=virtual&${query}`))
      const theirs = twin(5, parameters)
      t.equal(ours.length, theirs.length)
      // Sums of the same numbers: equal to the last bit, except for the rounding to microseconds.
      t.same(ours, theirs, query)
    }
  })
})
