// The documentation against the program: every example compiles, runs and prints what the page says, and no name is missing.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startPython } from './support/pyodide.ts'
import t from 'tap'
import * as loopscope from '../src/index.ts'
import { STATUSES } from '../src/http/refusals.ts'
import { programsOf, type Program } from './support/docs.ts'
import { compile, verdict } from './support/expected-errors.ts'

const root = new URL('..', import.meta.url).pathname
const pages = [...readdirSync(`${root}docs`).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`), 'README.md']
  .filter((path) => existsSync(root + path))
const read = (path: string): string => readFileSync(root + path, 'utf8')

const programs = pages.flatMap((page) => programsOf(page, read(page)))
const fileOf = (program: Program): string => `${program.page.replace(/\W/g, '-')}-${program.line}.ts`
/** The program, with the package's imports taken from the sources. */
const withImport = (program: Program, sources: string): string => program.source
  .replace("from 'loopscope'", `from '${sources}/index.ts'`).replace("from 'loopscope/fastify'", `from '${sources}/fastify/index.ts'`)
  .replace("from 'loopscope/asgi'", `from '${sources}/asgi/index.ts'`).replace("from 'loopscope/asgi/testing'", `from '${sources}/asgi/testing.ts'`)

const camelCase = (name: string): string => name.replace(/(?<=\w)_(\w)/g, (_, letter: string) => letter.toUpperCase())

/** asyncio's classes that loopscope has under the same name. */
const CLASSES = [
  'Future', 'Task', 'TaskGroup', 'Timeout', 'Runner', 'Queue', 'LifoQueue', 'PriorityQueue', 'Lock', 'Event', 'Condition',
  'Semaphore', 'BoundedSemaphore', 'Barrier', 'Handle', 'TimerHandle', 'StreamReader', 'StreamWriter', 'Server',
]

const LONGEST_MS = 20_000

/** Runs a program as a separate module, and returns its console output. */
async function output(path: string): Promise<string[]> {
  const lines: string[] = []
  const { log } = console
  const timer = setTimeout(() => { throw new Error(`${path} does not end`) }, LONGEST_MS)
  console.log = (...values: unknown[]) => { lines.push(...values.map(String).join(' ').split('\n')) }
  try {
    await import(path)
  } finally {
    console.log = log
    clearTimeout(timer)
  }
  return lines
}

t.test('programs in the documentation', async (t) => {
  const folder = t.testdir(Object.fromEntries(programs.map((program) => [fileOf(program), withImport(program, `${root}src`)])))
  const compiled = compile(root, [], Object.fromEntries(programs.map((program) => [`docs/${fileOf(program)}`, withImport(program, '../src')])))

  t.ok(programs.filter(({ expected }) => expected !== null).length >= 8, 'there are some')
  for (const program of programs) {
    await t.test(`${program.page}:${program.line}: compiles, and prints what it says`, async (t) => {
      t.same(verdict(compiled, `${root}docs/${fileOf(program)}`).differences, [])
      const printed = await output(join(folder, fileOf(program)))
      if (program.expected !== null) t.same(printed, program.expected)
    })
  }
})

t.test('docs/asyncio.md', async (t) => {
  const page = read('docs/asyncio.md')
  const named = new Set([...page.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`[^`\n]+`/g)].flatMap(([code]) => code.match(/\w+/g) ?? []))
  const rows = new Set(page.split('\n').flatMap((line) => /^\|([^|]*)\|/.exec(line)?.[1]?.match(/\w+/g) ?? []))

  const python = await startPython()
  const ask = (expression: string): unknown => JSON.parse(python.runPython(`
import asyncio, json, sys
assert sys.version_info[:2] == (3, 14)
public = lambda thing: [name for name in dir(thing) if not name.startswith('_')]
json.dumps(${expression})`) as string)

  await t.test('has a row for every public name of asyncio in CPython 3.14, and for every method of its loop', async (t) => {
    const names = ask('[*asyncio.__all__] + public(asyncio.AbstractEventLoop)') as string[]
    t.ok(names.length > 100)
    t.same(names.filter((name) => !rows.has(name)), [])
  })

  await t.test('lists the public methods that our classes do not have', async (t) => {
    const methods = ask(`{Class: public(getattr(asyncio, Class)) for Class in ${JSON.stringify(CLASSES)}}`) as Record<string, string[]>
    for (const Class of CLASSES) {
      const { prototype } = (loopscope as unknown as Record<string, { prototype: object }>)[Class]!
      const missing = methods[Class]!.filter((method) => !(camelCase(method) in prototype))
      t.same(missing.filter((method) => !page.includes(`without \`${method}\``)), [], Class)
    }
  })

  await t.test('names everything that loopscope exports', async (t) => {
    t.same(Object.keys(loopscope).filter((name) => !named.has(name)), [])
  })

  await t.test('claims no name that loopscope does not export', async (t) => {
    const section = page.slice(page.indexOf('## What asyncio does not have'))
    const claimed = section.split('\n').flatMap((line) => [.../^\|([^|]*)\|/.exec(line)?.[1]?.matchAll(/`(\w+)`/g) ?? []]).map(([, name]) => name!)
    t.ok(claimed.length >= 10)
    t.same(claimed.filter((name) => !(name in loopscope)), [])
  })

  await t.test('lists no name as missing that loopscope exports', async (t) => {
    const missing = page.split('\n').filter((line) => /^\|[^|]*\| missing \|/.test(line)).flatMap((line) => line.split('|')[1]?.match(/\w+/g) ?? [])
    t.ok(missing.length > 5)
    t.same(missing.filter((name) => camelCase(name) in loopscope || camelCase(name) in loopscope.EventLoop.prototype), [])
  })
})

t.test('docs/errors.md has every code with its status, and no other', async (t) => {
  const rows = [...read('docs/errors.md').matchAll(/^\| `([\w-]+)` \| (\d{3}) \|/gm)].map(([, code, status]) => [code!, Number(status)] as const)
  t.same(Object.fromEntries(rows), STATUSES)
})

t.test('docs/architecture.md', async (t) => {
  // Soft line breaks are spaces; `[`file`](path) `name`` means that the file contains that name.
  const page = read('docs/architecture.md').replace(/\n */g, ' ')

  await t.test('names no missing file, and no name that its file does not contain', async (t) => {
    const links = [...page.matchAll(/\[[^\]]*\]\((\.\.\/[^)]+)\)(?: `([^`]+)`)?/g)].map(([, path, name]) => ({ path: join(root, 'docs', path!), name }))
    t.ok(links.filter(({ name }) => name !== undefined).length >= 10)
    const wrong = links.filter(({ path, name }) => !existsSync(path) || (name !== undefined && !new RegExp(`(?<!\\w)${name}\\b`).test(readFileSync(path, 'utf8'))))
    t.same(wrong, [])
  })

  await t.test('quotes the line of the event loop', async (t) => {
    t.match(page, 'This is our event loop')
    t.match(read('src/runtime/turn.ts'), /\/\/ This is our event loop/)
  })
})
