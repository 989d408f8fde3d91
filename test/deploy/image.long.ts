// The image that the Dockerfile would make, made here from exactly the files that it copies, without Docker: the page is
// built, the dependencies are installed, and the server runs as a user that owns none of it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { fetch } from 'undici'
import { contextOf, copiesOf, stagesOf } from '../support/dockerfile.ts'
import { runProgram } from '../support/programs.ts'
import { freePort } from '../support/redis.ts'
import { eventually } from '../support/eventually.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const stages = stagesOf(read('Dockerfile'))
const image = stages.at(-1)!
const textsOf = (instruction: string): string[] => image.steps.filter((step) => step.instruction === instruction).map(({ text }) => text)

/** npm could not reach a registry, which proves nothing about the image. */
const OFFLINE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/

t.setTimeout(300_000)

t.test('the image', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'loopscope-image-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const context = contextOf(ROOT, read('.dockerignore'))
  const place = (stage: string | null): string => join(folder, stage ?? 'image')

  /** Copies what a stage's COPY lines bring from the build's context or from another stage, as Docker would. */
  function copy(stage: string | null, from: string | null): void {
    const copies = copiesOf(stages.find(({ name }) => name === stage)!).filter((one) => one.from === from)
    for (const { sources, target } of copies) {
      for (const source of sources) {
        const path = source.replace(/^\/app\/|^\.\//, '')
        const into = join(place(stage), target)
        if (from !== null) cpSync(join(place(from), path), into, { recursive: true })
        else {
          for (const file of context.filter((one) => one === path || one.startsWith(`${path}/`))) {
            const there = file === path ? join(into, target.endsWith('/') ? path.split('/').at(-1)! : '') : join(into, file.slice(path.length + 1))
            mkdirSync(dirname(there), { recursive: true })
            cpSync(join(ROOT, file), there)
          }
        }
      }
    }
  }

  for (const { name } of stages.slice(1)) {
    mkdirSync(place(name))
    copy(name, null)
  }

  await t.test('is built from the files that are copied for it', async (t) => {
    // The stage installs everything; here that has been done.
    symlinkSync(join(ROOT, 'node_modules'), join(place('build'), 'node_modules'))
    const { code, text } = await runProgram(process.execPath, ['tools/build.mjs'], { cwd: place('build') })
    t.equal(code, 0, text)
    for (const path of ['dist/ui/index.html', 'dist/src/server/main.js', 'dist/routes/root.js']) t.ok(existsSync(join(place('build'), path)), path)
  })

  await t.test('gets its dependencies, without those that only development needs', async (t) => {
    const install = stages.find(({ name }) => name === 'dependencies')!.steps.find(({ instruction }) => instruction === 'RUN')!.text
    t.equal(install, 'npm ci --omit=dev --ignore-scripts')
    const { code, text } = await runProgram('npm', ['ci', '--omit=dev', '--ignore-scripts', '--prefer-offline'], { cwd: place('dependencies') })
    if (code !== 0 && OFFLINE.test(text)) {
      t.pass('npm ci', { skip: 'no registry can be reached' })
      return
    }
    t.equal(code, 0, text)
    t.notOk(existsSync(join(place('dependencies'), 'node_modules/typescript')))
  })

  const installed = existsSync(join(place('dependencies'), 'node_modules/fastify'))
  await t.test('runs with these files alone, as a user that may not write there', { skip: !installed && 'its dependencies are not installed' }, async (t) => {
    for (const from of ['dependencies', 'build']) copy(null, from)
    chmodSync(folder, 0o755)
    const port = await freePort()
    const observerPort = await freePort()
    const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
    const [program, ...args] = JSON.parse(textsOf('CMD')[0]!) as [string, ...string[]]
    t.equal(program, 'node')
    const child = spawn(process.execPath, args, {
      cwd: place(null), ...nobody, stdio: ['ignore', 'pipe', 'pipe'],
      env: { NODE_ENV: 'production', HOST: '127.0.0.1', PORT: String(port), OBSERVER_PORT: String(observerPort), PATH: process.env['PATH'], TMPDIR: tmpdir() },
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { said += chunk.toString() })
    t.teardown(() => child.kill('SIGKILL'))
    const text = async (path: string, at = port): Promise<string> => (await fetch(`http://127.0.0.1:${at}${path}`)).text()
    t.ok(await eventually(() => fetch(`http://127.0.0.1:${port}/healthz`).then(({ ok }) => ok, () => false)), said)
    t.equal(await text('/examples/4/run?clock=virtual'), 'One\nOne\nOne\nTwo\nTwo\nTwo\n')
    t.match(await text('/examples/4'), /import time|time\.sleep/, 'with the sources of the examples')
    t.match(JSON.parse(await text('/handlers/sync?thread=pool&ms=1')), { handler: 'sync, pool' })
    t.match(await text('/docs/'), '<html')
    t.match(await text('/', observerPort), '<div id="')
    const index = await text('/', observerPort)
    const script = /src="\.?\/?(assets\/[^"]+\.js)"/.exec(index)![1]!
    t.ok((await text(`/${script}`, observerPort)).length > 10_000, 'with the live view')
    t.match(await text('/metrics', observerPort), /^loopscope_requests_total\{answer="2xx"\} [1-9]/m)
    const check = JSON.parse(textsOf('HEALTHCHECK')[0]!.replace(/^.*? CMD /, '')) as [string, ...string[]]
    const health = (env: Record<string, string>): Promise<number> => runProgram(process.execPath, check.slice(1), { env }).then(({ code }) => code)
    t.equal(await health({ PORT: String(port) }), 0, 'its health check agrees')
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit') as [number]
    t.equal(code, 0, said)
    t.equal(await health({ PORT: String(port) }), 1, 'and says when it is gone')
  })
})
