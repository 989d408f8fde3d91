// The page in browsers as Debian delivers them, besides Chromium: an unmodified Firefox, and the engine of Safari. Each part
// opens, an example runs, a stall is drawn, and a program runs in the playground.
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import puppeteer from 'puppeteer-core'
import t, { type Test } from 'tap'
import { fetch } from 'undici'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/redis.ts'
import { findProgram, isExecutable, without } from '../support/programs.ts'
import { buildView } from '../support/ui.ts'
import { startServer } from './support.ts'

const PARTS = ['', '#view=playground', '#view=lessons', '#view=lab', '#view=compare']

interface Engine {
  open(address: string): Promise<void>
  /** The value of an expression in the page. */
  read(expression: string): Promise<unknown>
  /** Errors on the console; null where the driver reports none. */
  complaints: string[] | null
}

async function firefox(t: Test): Promise<Engine> {
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath: findProgram('firefox-esr')!, headless: true })
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  await page.setViewport({ width: 1280, height: 860 })
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => complaints.push(...message.type() === 'error' ? [message.text()] : []))
  return {
    complaints,
    read: (expression) => page.evaluate(expression),
    open: async (address) => {
      // The page may be about to change its own address, which ends a navigation that begins at the same time.
      await page.goto('about:blank').catch(() => page.goto('about:blank'))
      await page.goto(address)
    },
  }
}

/** The small browser of the engine's package, /usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser for instance. */
function miniBrowser(): string {
  const folders = readdirSync('/usr/lib').flatMap((folder) => ['4.1', '4.0'].map((version) => `/usr/lib/${folder}/webkit2gtk-${version}/MiniBrowser`))
  return folders.find(isExecutable) ?? 'MiniBrowser'
}

/** Driven by the messages of https://www.w3.org/TR/webdriver2/ themselves. */
async function webkit(t: Test): Promise<Engine> {
  const port = await freePort()
  const driver = spawn('xvfb-run', ['-a', 'WebKitWebDriver', `--port=${port}`], { stdio: 'ignore', detached: true })
  t.teardown(() => { process.kill(-driver.pid!, 'SIGTERM') })
  const call = async (path: string, body: object): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${port}/session${path}`, { method: 'POST', body: JSON.stringify(body) })
    const { value } = await answer.json() as { value: { error?: string } | null }
    if (!answer.ok) throw new Error(JSON.stringify(value))
    return value
  }
  await eventually(() => fetch(`http://127.0.0.1:${port}/status`).then(({ ok }) => ok, () => false))
  const options = { binary: miniBrowser(), args: ['--automation'] }
  const { sessionId } = await call('', { capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': options } } }) as { sessionId: string }
  t.teardown(() => fetch(`http://127.0.0.1:${port}/session/${sessionId}`, { method: 'DELETE' }).catch(() => {}))
  return {
    complaints: null,
    read: (expression) => call(`/${sessionId}/execute/sync`, { script: `return ${expression}`, args: [] }),
    open: async (address) => {
      await call(`/${sessionId}/url`, { url: 'about:blank' })
      await call(`/${sessionId}/url`, { url: address })
    },
  }
}

function check(name: string, skip: string | false, start: (t: Test) => Promise<Engine>): void {
  void t.test(name, { skip }, async (t) => {
    await buildView()
    const server = await startServer(t)
    const engine = await start(t)
    const texts = async (selector: string): Promise<string[]> => await engine.read(`[...document.querySelectorAll(${JSON.stringify(selector)})].map((one) => one.innerText)`) as string[]
    /** Presses the first button, tab or choice with this text, once there is one. */
    const press = async (text: RegExp): Promise<void> => {
      const found = `[...document.querySelectorAll('button, [role=tab], .example')].find((one) => ${text}.test(one.innerText.trim()))`
      if (!await eventually(async () => await engine.read(`${found} !== undefined`) === true)) throw new Error(`there is nothing to press that says ${text}`)
      await engine.read(`void ${found}.click()`)
    }
    const open = async (part: string): Promise<void> => {
      await engine.open(server.observer + part)
      t.ok(await eventually(async () => (await texts('.connection.live')).length === 1), `${part === '' ? 'the live view' : part} is connected`)
    }

    for (const part of PARTS) await open(part)

    await t.test('an example runs, and a stall is drawn while it lasts', async (t) => {
      await open('')
      await press(/Run an example/)
      await press(/Two tasks at once/)
      await press(/Run example 3/)
      await press(/^Output/)
      t.ok(await eventually(async () => (await texts('.output .text')).join() === 'hello,world'), (await texts('.output .text')).join())
      await press(/^Stall it/)
      await press(/^Stalls/)
      t.ok(await eventually(async () => (await texts('body'))[0]!.includes('GET /handlers/sync')), 'it is named')
      const drawn = await engine.read(`(() => {
        const canvas = document.querySelector('canvas')
        return new Set(new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size
      })()`) as number
      t.ok(drawn > 5, `the lanes have ${drawn} colours`)
    })

    await t.test('a program runs in the playground', async (t) => {
      await open('#view=playground')
      await press(/^Run$/)
      t.ok(await eventually(async () => (await texts('.pg-lines .pg-text')).join() === 'hello,world'), (await texts('.pg-status, .pg-lines')).join())
    })

    await t.test('a Python program runs in the playground, if the browser can pause WebAssembly', async (t) => {
      await open('#view=playground&language=python')
      const said = (text: RegExp): Promise<boolean> => eventually(async () => text.test((await texts('.pg-status')).join()), 12_000)
      if (await engine.read("'Suspending' in WebAssembly") !== true) {
        t.ok(await said(/^CPython cannot run: this browser cannot pause WebAssembly/), (await texts('.pg-status')).join())
        return
      }
      t.ok(await said(/CPython 3.14 is ready/), (await texts('.pg-status')).join())
      // The second one starts from a snapshot.
      for (const time of ['first', 'second']) {
        await press(/^Run$/)
        t.ok(await said(/It ended after 3\.000 s of virtual time/), `${time}: ${(await texts('.pg-status')).join()}`)
        t.equal((await texts('.pg-lines .pg-text')).join(), 'hello,world', time)
        t.ok(await eventually(async () => (await texts('.pg-code')).join().includes('No syntax errors'), 12_000), 'the next one is ready')
      }
    })

    // Pyodide tries whether it may import an empty script. Here it may not, which Firefox notes.
    if (engine.complaints !== null) t.same(engine.complaints.filter((one) => !one.includes('a script (script-src-elem) at data:text/javascript, from')), [])
  })
}

check('in Firefox', without(['firefox-esr', 'firefox-esr']), firefox)
check('in WebKit', without(['WebKitWebDriver', 'webkit2gtk-driver'], ['xvfb-run', 'xvfb']), webkit)
