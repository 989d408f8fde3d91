// The allowed imports: the layers as a table, compared with every import in the tree.
import t from 'tap'
import { cycles, forbidden, importsOf, knots, nodeGlobals, reachable, readTree, type Row, type Tree } from './support/imports.ts'

const TABLE: Row[] = [
  { files: 'src/runtime', may: ['src/runtime'] },
  { files: 'src/hosts', may: ['src/hosts', 'src/runtime'] },
  { files: 'src/hosts/node', may: ['src/hosts', 'src/runtime', 'node:'] },
  { files: 'src/hosts/async-locals', may: ['node:'] },
  { files: 'src/hosts/collection', may: ['node:'] },
  { files: 'src/threads', may: ['src/threads', 'src/launch', 'src/runtime', 'node:'] },
  { files: 'src/threads/loopscope-thread', may: ['src/threads', 'src/runtime', 'src/hosts', 'node:'] },
  { files: 'src/streams', may: ['src/streams', 'src/runtime', 'node:'] },
  { files: 'src/own-code', may: [] },
  { files: 'src/seeded', may: [] },
  { files: 'src/sync-functions', may: [] },
  { files: 'src/launch', may: ['node:'] },
  { files: 'src/index', may: ['src/runtime', 'src/hosts', 'src/streams', 'src/threads'] },
  { files: 'src/browser', may: ['src/runtime', 'src/hosts'] },
  { files: 'src/eslint', may: ['src/eslint', 'src/sync-functions'], types: ['npm:'] },
  { files: 'src/events', may: ['src/events', 'src/runtime', 'node:', 'npm:zod'] },
  { files: 'src/events/schema', may: ['src/events/schema', 'npm:zod'] },
  { files: 'src/probe', may: ['src/probe', 'src/own-code', 'src/events', 'src/threads', 'src/runtime', 'src/index', 'node:'] },
  { files: 'src/observe', may: ['src/observe', 'src/own-code', 'src/probe', 'src/http', 'src/events', 'src/launch', 'src/threads', 'src/runtime', 'src/index', 'node:', 'npm:'] },
  { files: 'src/observe/loopscope-observer', may: ['src/observe', 'src/probe/layout', 'src/http', 'src/events', 'src/redis/cluster', 'src/group/group', 'node:'] },
  { files: 'src/group', may: ['src/group', 'src/observe', 'src/events', 'node:', 'npm:zod'] },
  { files: 'src/redis', may: ['src/redis', 'src/observe', 'src/probe', 'src/events', 'node:', 'npm:'] },
  { files: 'src/redis/index', may: ['src/redis/index', 'src/redis/queue', 'src/redis/client', 'src/redis/connection', 'src/redis/refusals', 'src/redis/script', 'src/runtime', 'node:', 'npm:@redis/client'] },
  { files: 'src/redis/queue', may: ['src/redis/index', 'src/redis/queue', 'src/redis/client', 'src/redis/connection', 'src/redis/refusals', 'src/redis/script', 'src/runtime', 'node:', 'npm:@redis/client'] },
  { files: 'src/http', may: ['src/http', 'src/events', 'src/runtime', 'node:', 'npm:'] },
  { files: 'src/http/paths', may: [] },
  { files: 'src/http/request-timing', may: ['src/http/arrival', 'src/probe/idle-time', 'src/runtime'] },
  { files: 'src/fastify', may: ['src/fastify', 'src/http', 'src/observe', 'src/probe', 'src/events', 'src/hosts', 'src/runtime', 'src/index', 'node:', 'npm:'] },
  { files: 'src/testing', may: ['src/testing', 'src/own-code', 'src/sync-functions', 'src/observe', 'src/http/monitor', 'src/events/schema', 'node:'] },
  { files: 'src/asgi', may: ['src/asgi', 'src/command', 'src/fastify', 'src/http', 'src/observe', 'src/runtime', 'src/index', 'node:', 'npm:'] },
  { files: 'src/command', may: ['src/command', 'node:'] },
  { files: 'src/bin', may: ['src/command', 'src/start/run', 'src/start/view', 'src/load/main', 'src/asgi/command', 'src/ps/command'] },
  { files: 'src/start', may: ['src/start', 'src/command', 'src/observe', 'src/http/origin', 'src/http/turning', 'src/launch', 'src/index', 'node:'] },
  { files: 'src/ps', may: ['src/ps', 'src/command', 'src/events/schema', 'node:'] },
  { files: 'src/load', may: ['src/load', 'src/command', 'src/launch', 'src/seeded', 'src/events/schema', 'node:', 'npm:'] },
  { files: 'src/server', may: ['src/server', 'src/fastify', 'src/http', 'src/events', 'src/hosts', 'src/runtime', 'src/index', 'node:', 'npm:'] },
  { files: 'src/server/shared-queue', may: ['src/server', 'src/http', 'src/redis/index', 'src/runtime'] },
  { files: 'src/server/labs', may: ['src/server', 'src/http', 'src/load', 'src/events', 'src/runtime'] },
  { files: 'routes/asgi', may: ['examples', 'src/asgi/mount', 'src/server', 'src/http'] },
  { files: 'routes/lab', may: ['src/server', 'src/http', 'src/load', 'src/events', 'npm:'] },
  { files: 'routes', may: ['routes', 'examples', 'workers', 'src/server', 'src/http', 'src/events', 'src/index', 'npm:', 'node:'] },
  { files: 'workers', may: ['workers', 'src/index', 'src/runtime', 'node:', 'npm:'] },
  { files: 'ui', may: ['ui', 'src/own-code', 'src/seeded', 'src/events/lower-bound', 'src/events/model', 'src/events/schema', 'src/events/stalls', 'src/http/paths', 'src/runtime', 'src/browser', 'npm:'] },
  { files: 'ui/playground/build', may: ['ui/playground', 'node:', 'npm:'] },
  { files: 'ui/playground/thread', may: ['ui/playground', 'src/events', 'src/runtime', 'src/browser'] },
  { files: 'ui/playground/python', may: ['ui/playground', 'src/events'] },
  { files: 'ui/vite.config', may: ['*'] },
  { files: 'examples', may: ['examples', 'workers', 'src/index', 'node:'] },
  { files: 'examples/asgi', may: ['examples', 'workers', 'src/index', 'src/asgi/index', 'node:'] },
  { files: 'examples/programs', may: ['examples', 'workers', 'src/index', 'src/redis/index', 'node:'] },
  { files: 'test', may: ['*'] },
  { files: 'bench', may: ['*'] },
  { files: 'tools', may: ['*'] },
  { files: 'eslint.config', may: ['*'] },
]

/** The only files whose types need each other, and why. */
const KNOTS: { files: string[]; why: string }[] = [
  {
    files: ['abstract-loop', 'future', 'handle', 'instruments', 'task'].map((name) => `src/runtime/${name}.ts`),
    why: 'a loop makes futures, tasks and handles, which give their loop; it has instruments, whose hooks get loops and tasks',
  },
  {
    files: ['src/runtime/context.ts', 'src/runtime/running.ts'],
    why: 'the context that is current is a Context, and a Context makes itself the current one',
  },
  {
    files: ['scopes', 'types'].map((name) => `ui/playground/translate/${name}.ts`),
    why: 'a variable has a type, and a type may be a function or class, which has variables',
  },
]

/** What the server loads only when it is needed: for a Redis, for the documentation, and in the load tester. */
const LATE = /^(src\/redis\/|npm:(@redis\/|@fastify\/(swagger|swagger-ui|rate-limit)$|undici$))/

/** What a browser loads: nothing behind these may need Node. */
const BROWSER_ENTRIES = ['src/browser.ts', 'src/events/schema.ts', 'ui/main.tsx']

const root = new URL('..', import.meta.url).pathname
const tree = readTree(root)
const ours: Tree = new Map([...tree].filter(([file]) => /^(src|routes|ui|workers)\//.test(file)))
const runtime: Tree = new Map([...tree].filter(([file]) => file.startsWith('src/runtime/')))

function needsNode(sources: Tree, entry: string): string[] {
  const loaded: Tree = new Map(reachable(sources, entry).map((file) => [file, sources.get(file)!]))
  return forbidden(loaded, [...loaded.keys()].map((file) => ({ files: file, may: ['src', 'ui', 'npm:'], types: ['node:'] })))
}

t.test('the tree', async (t) => {
  await t.test('imports along the arrows only', async (t) => {
    t.same(forbidden(tree, TABLE), [])
    t.ok(runtime.size > 10, 'the runtime was read')
  })

  await t.test('has no cycle of imports once types are gone', async (t) => {
    t.same(cycles(ours), [])
  })

  await t.test('has no cycle of types but where things define each other', async (t) => {
    t.same(knots(ours), KNOTS.map(({ files }) => files), KNOTS.map(({ why }) => why).join('; '))
  })

  await t.test('uses no global of Node in the runtime', async (t) => {
    t.same([...runtime].flatMap(([file, text]) => nodeGlobals(file, text)), [])
  })

  await t.test('loads nothing of Node in a browser', async (t) => {
    const entries = BROWSER_ENTRIES.filter((entry) => tree.has(entry))
    t.same(entries.flatMap((entry) => needsNode(tree, entry)), [])
  })

  await t.test('loads nothing at its start that most servers never need', async (t) => {
    const begun = new Set(['src/server/serve.ts', 'src/observe/loopscope-observer.ts', ...[...tree.keys()].filter((file) => file.startsWith('routes/'))])
    const found: string[] = []
    for (const file of begun) {
      for (const { line, target, typeOnly, eager } of importsOf(file, tree.get(file)!)) {
        if (typeOnly || !eager) continue
        if (LATE.test(target)) found.push(`${file}:${line} imports ${target}`)
        else if (tree.has(target)) begun.add(target)
      }
    }
    t.same(found, [])
    t.ok(begun.size > 100, `${begun.size} files were looked through`)
  })
})

t.test('on made-up sources', async (t) => {
  const files = (sources: Record<string, string>): Tree => new Map(Object.entries(sources))
  const breaches = (file: string, text: string): string[] => forbidden(files({ [file]: text }), TABLE)

  await t.test('names file, line and rule of a forbidden import', async (t) => {
    t.same(breaches('src/runtime/task.ts', "// why\nimport { now } from '../hosts/node.ts'\n"), [
      'src/runtime/task.ts:2 imports src/hosts/node.ts: src/runtime may import src/runtime',
    ])
  })

  await t.test('sees every way to import', async (t) => {
    const ways = [
      "import fs from 'node:fs'", "import 'node:fs'", "import type { Stats } from 'node:fs'", "export * from 'node:fs'",
      "export type { Stats } from 'node:fs'", "const fs = await import('node:fs')", "let stats: import('node:fs').Stats",
      "import fs = require('node:fs')", "const fs = require('node:fs')", "import fs from 'fs'", '/// <reference types="node" />',
      "new Worker(new URL('../hosts/thread.ts', import.meta.url))",
    ]
    for (const way of ways) t.equal(breaches('src/runtime/a.ts', way).length, 1, way)
    t.same(breaches('src/runtime/a.ts', "// import 'node:fs'\nconst text = `import 'node:fs'`"), [])
  })

  await t.test('knows the arrows', async (t) => {
    const cases: [file: string, from: string, allowed: boolean][] = [
      ['src/hosts/node.ts', 'node:worker_threads', true],
      ['src/hosts/browser.ts', 'node:worker_threads', false],
      ['src/hosts/node.ts', '../server/app.ts', false],
      ['src/events/recorder.ts', '../runtime/loop.ts', true],
      ['src/events/recorder.ts', '../hosts/node.ts', false],
      ['src/events/schema.ts', '../runtime/loop.ts', false],
      ['src/threads/worker-queue.ts', '../runtime/future.ts', true],
      ['src/threads/worker-queue.ts', '../server/app.ts', false],
      ['src/threads/worker-queue.ts', '../hosts/node.ts', false],
      ['src/runtime/sync.ts', '../threads/lane.ts', false],
      ['src/server/app.ts', '../hosts/node.ts', true],
      ['src/server/app.ts', '../../routes/tasks.ts', false],
      ['routes/tasks.ts', '../src/server/config.ts', true],
      ['routes/tasks.ts', '../src/hosts/node.ts', false],
      ['ui/main.ts', '../src/events/schema.ts', true],
      ['ui/main.ts', '../src/events/recorder.ts', false],
      ['ui/main.ts', '../src/server/config.ts', false],
      ['workers/hash.ts', 'node:crypto', true],
      ['workers/hash.ts', '../src/server/config.ts', false],
      ['src/eslint/index.ts', '../runtime/task.ts', false],
      ['src/eslint/index.ts', 'typescript', false],
      ['examples/hello.ts', 'loopscope', true],
      ['examples/hello.ts', '../src/runtime/task.ts', false],
      ['src/runtimes.ts', './runtime/task.ts', false],
    ]
    for (const [file, from, allowed] of cases) {
      t.equal(breaches(file, `import { x } from '${from}'`).length === 0, allowed, `${file} imports ${from}`)
    }
    t.same(breaches('src/eslint/index.ts', "import type ts from 'typescript'"), [])
    t.match(breaches('lib/a.ts', ''), ['lib/a.ts: no row of the table is about it'])
  })

  await t.test('finds a cycle, and ignores those of types or of a late import', async (t) => {
    const ring = (how: string): Tree => files({
      'src/runtime/a.ts': "import { b } from './b.ts'\n",
      'src/runtime/b.ts': "\nexport { c } from './c.ts'\n",
      'src/runtime/c.ts': how,
      'src/runtime/d.ts': "import { a } from './a.ts'\n",
    })
    const found = 'src/runtime/a.ts:1 -> src/runtime/b.ts:2 -> src/runtime/c.ts:1 -> src/runtime/a.ts'
    t.same(cycles(ring("import { a } from './a.ts'")), [found])
    t.same(cycles(ring("import { type A } from './a.ts'")), [found], 'it stays in the output as a bare import')
    t.same(cycles(ring("import type { A } from './a.ts'")), [])
    t.same(cycles(ring("export const late = () => import('./a.ts')")), [])
  })

  await t.test('finds every file of a knot of types, and none beside it', async (t) => {
    t.same(knots(files({
      'src/runtime/a.ts': "import type { B } from './b.ts'",
      'src/runtime/b.ts': "import { c } from './c.ts'\nimport type { D } from './d.ts'",
      'src/runtime/c.ts': "import type { A } from './a.ts'\nimport { e } from './e.ts'",
      'src/runtime/d.ts': "export const late = (): Promise<unknown> => import('./b.ts')",
      'src/runtime/e.ts': 'export const e = 1',
      'src/runtime/f.ts': "import { a } from './a.ts'\nlet g: import('./g.ts').G",
      'src/runtime/g.ts': "import type { F } from './f.ts'",
    })), [
      ['src/runtime/a.ts', 'src/runtime/b.ts', 'src/runtime/c.ts', 'src/runtime/d.ts'],
      ['src/runtime/f.ts', 'src/runtime/g.ts'],
    ])
  })

  await t.test('finds a global of Node, and not a member or a local of that name', async (t) => {
    const found = (text: string): string[] => nodeGlobals('a.ts', text)
    t.same(found('\nprocess.exit(1)'), ['a.ts:2 uses process'])
    t.same(found('const job = { process }'), ['a.ts:1 uses process'])
    t.same(found('const later = () => setImmediate(() => Buffer.alloc(1))'), ['a.ts:1 uses setImmediate', 'a.ts:1 uses Buffer'])
    t.same(found("const fs = require('fs')"), ['a.ts:1 uses require'])
    t.same(found('global.x = 1; globalThis.process.cwd(); globalThis["Buffer"]'), [
      'a.ts:1 uses global', 'a.ts:1 uses globalThis.process', 'a.ts:1 uses globalThis.Buffer',
    ])
    t.same(found('let timer: NodeJS.Timeout'), ['a.ts:1 uses NodeJS'])
    t.same(found('const process = 1; job.process(process); class A { require(): void {} global = 1 }'), [])
    t.same(found("// process.exit()\nconst text = 'process'; interface A { process: string }; const a = { process: 1 }"), [])
  })

  await t.test('follows a browser entry to what needs Node', async (t) => {
    const sources = files({
      'src/browser.ts': "export * from './runtime/a.ts'",
      'src/runtime/a.ts': "import type { Stats } from 'node:fs'\nimport './b.ts'",
      'src/runtime/b.ts': "import 'node:fs'",
    })
    t.same(needsNode(sources, 'src/browser.ts'), ['src/runtime/b.ts:1 imports node:fs: src/runtime/b.ts may import src, ui, npm:'])
    t.equal(needsNode(files({ 'ui/main.ts': "import 'node:fs'" }), 'ui/main.ts').length, 1)
  })
})
