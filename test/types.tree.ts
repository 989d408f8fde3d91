// What the public types refuse and infer: the files in test/types/, compiled by TypeScript with the project's own settings.
import { readdirSync } from 'node:fs'
import t from 'tap'
import ts from 'typescript'
import { compile, verdict } from './support/expected-errors.ts'

const root = new URL('..', import.meta.url).pathname
const fixtures = readdirSync(`${root}test/types`).map((name) => `test/types/${name}`)

const MADE_UP = 'test/types/made-up.ts'
const STARLESS = 'test/types/starless.ts'
const program = compile(root, fixtures, {
  [STARLESS]: [
    "import { sleep, type Coroutine } from '../../src/index.ts'",
    'export function* coroutine(): Coroutine<void> { yield sleep(1) }',
    'export function* promise(): Coroutine<void> { yield Promise.resolve() }',
  ].join('\n'),
  [MADE_UP]: [
    "import { is } from './is.ts'",
    'export const asAnnounced: string = 5 // error: TS2322',
    'export const unannounced: string = 5',
    "export const announced: string = 'a' // error: TS2322",
    'export const another: string = 5 // error: TS2345',
    'export const twice: string = missing + 5 // error: TS2304',
    'is<string>()(5)',
  ].join('\n'),
})

t.test('public types', async (t) => {
  const titles: Record<string, string> = {
    'awaiting.ts': 'let a coroutine yield nothing but what it awaits, and give each await its result\'s type',
    'waiting.ts': 'keep each type through gather, wait, waitFor, asCompleted and shield',
    'scopes.ts': 'give a scope its body\'s value',
    'queues-and-locks.ts': 'hold a queue to its item\'s type and a lock to its methods',
    'host.ts': 'carry types over the bridges to promises, threads, contexts and callbacks',
    'is-itself.ts': 'are compared by a check that tells any, unknown and near misses apart',
    'is.ts': 'are compared by a check that compiles',
  }
  t.same(fixtures.map((path) => path.slice('test/types/'.length)).sort(), Object.keys(titles).sort(), 'every fixture has a title')
  for (const [name, title] of Object.entries(titles)) {
    await t.test(`${title} (${name})`, async (t) => {
      const { announced, differences } = verdict(program, `${root}test/types/${name}`)
      t.same(differences, [])
      if (name !== 'is.ts') t.ok(announced >= 10, 'and it has lines that must not compile')
    })
  }
})

t.test('the type error of a missing star says what to write', async (t) => {
  const texts = ts.getPreEmitDiagnostics(program, program.getSourceFile(root + STARLESS))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))
  t.equal(texts.length, 2)
  for (const text of texts) t.match(text, "Property ''await with yield*, a promise with yield* fromPromise(promise)'' is missing")
})

t.test('the comparison finds an error that is not announced, missing, or different', async (t) => {
  const { announced, differences } = verdict(program, root + MADE_UP)
  t.equal(announced, 4)
  t.same(differences.map((difference) => difference.split('\n')[0]), [
    'line 3: wanted no error, got TS2322: export const unannounced: string = 5',
    "line 4: wanted TS2322, got no error: export const announced: string = 'a' // error: TS2322",
    'line 5: wanted TS2345, got TS2322: export const another: string = 5 // error: TS2345',
    'line 7: wanted no error, got TS2554: is<string>()(5)',
  ])
})
