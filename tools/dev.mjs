// npm run dev: the server, started again after each change of a source; and the page from Vite, which reloads by itself.
import { spawn } from 'node:child_process'
import { watch } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createServer } from 'vite'
import { build } from './build.mjs'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const SOURCES = ['src', 'routes', 'workers', 'examples']
/** Editors write a file in several steps, and several files at once. */
const SETTLE_MS = 100

/** Brings dist/ up to date. A source that does not compile is reported, and the running server continues. */
async function compile() {
  try {
    await build({ page: false })
    return true
  } catch (error) {
    console.error(error.message)
    return false
  }
}

let server = null
let closing = false

function start() {
  const child = spawn(process.execPath, ['--enable-source-maps', 'dist/src/server/main.js'], { cwd: ROOT, stdio: 'inherit' })
  child.on('exit', (code, signal) => {
    if (server !== child) return
    server = null
    if (!closing) console.error(`the server ended (${signal ?? `code ${code}`}); it starts again after the next change`)
  })
  server = child
}

/** Ends the server as Ctrl-C would, and waits until it has ended. */
async function stop() {
  const child = server
  if (child === null) return
  server = null
  await new Promise((resolve) => {
    child.once('exit', resolve)
    child.kill('SIGTERM')
  })
}

let timer = null
let underWay = Promise.resolve()

function onChange() {
  clearTimeout(timer)
  timer = setTimeout(() => {
    underWay = underWay.then(async () => {
      if (closing || !await compile()) return
      await stop()
      start()
    })
  }, SETTLE_MS)
}

if (!await compile()) process.exit(1)
start()
for (const folder of SOURCES) watch(`${ROOT}${folder}`, { recursive: true }, onChange)

const page = await createServer({ root: `${ROOT}ui`, configFile: `${ROOT}ui/vite.config.ts` })
await page.listen()
page.printUrls()

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    if (closing) process.exit(1)
    closing = true
    void Promise.all([stop(), page.close()]).then(() => process.exit(0))
  })
}
