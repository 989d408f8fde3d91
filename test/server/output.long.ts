// Standard output that takes nothing: a full disk, a reader that does not read, a reader that has gone, a terminal that is
// closed. The log never ends the server, blocks it, or grows without limit.
import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { fetch } from 'undici'
import { Output } from '../../src/server/output.ts'
import { without } from '../support/programs.ts'
import { freePort } from '../support/redis.ts'
import { eventually } from '../support/eventually.ts'
import { launchServer, SERVER } from '../support/server-process.ts'

const root = new URL('../..', import.meta.url)
const noFull = process.platform !== 'linux' && 'only Linux has /dev/full'
const noFifo = without(['mkfifo', 'coreutils'])

t.setTimeout(240_000)

/** A pipe with both ends in this test: only the test reads it. */
function fifo(t: Test): { path: string; open: (flags: number) => number } {
  const folder = mkdtempSync(join(tmpdir(), 'loopscope-output-'))
  const path = join(folder, 'pipe')
  spawnSync('mkfifo', [path])
  const opened: number[] = []
  t.teardown(() => {
    for (const fd of opened) closeSync(fd)
    rmSync(folder, { recursive: true })
  })
  return {
    path,
    open: (flags) => {
      const fd = openSync(path, flags | constants.O_NONBLOCK)
      opened.push(fd)
      return fd
    },
  }
}

/** All that is in a pipe now. */
function readAll(fd: number): string {
  const chunk = Buffer.alloc(65_536)
  let text = ''
  for (;;) {
    try {
      const length = readSync(fd, chunk)
      if (length === 0) return text
      text += chunk.toString('utf8', 0, length)
    } catch {
      return text
    }
  }
}

t.test('lines that a pipe does not take', { skip: noFifo }, async (t) => {
  await t.test('wait up to a limit, the others are counted, and all that waited arrive in order once it is read', async (t) => {
    const fd = fifo(t).open(constants.O_RDWR)
    const output = new Output(() => fd)
    const told: number[] = []
    output.onWorking = (dropped) => told.push(dropped)
    const line = (i: number): string => `${String(i).padStart(99, '.')}\n`
    const before = process.memoryUsage().arrayBuffers
    for (let i = 0; i < 100_000; i++) output.write(line(i))
    t.ok(process.memoryUsage().arrayBuffers - before < 8e6, 'of 10 MB little more than 1 MiB is kept')
    t.ok(output.dropped > 80_000, `${output.dropped} were dropped`)
    let text = ''
    t.ok(await eventually(() => {
      text += readAll(fd)
      return told.length > 0
    }))
    text += readAll(fd)
    const kept = 100_000 - output.dropped
    t.equal(text, Array.from({ length: kept }, (_, i) => line(i)).join(''))
    t.same(told, [output.dropped])
    output.write('again\n')
    t.equal(readAll(fd), 'again\n')
  })

  await t.test('because its reader has gone go to the next one', async (t) => {
    const pipe = fifo(t)
    const reader = openSync(pipe.path, constants.O_RDONLY | constants.O_NONBLOCK)
    const output = new Output(() => pipe.open(constants.O_WRONLY))
    let told = 0
    output.onWorking = () => { told++ }
    output.write('one\n')
    t.equal(readAll(reader), 'one\n')
    closeSync(reader)
    output.write('two\n')
    output.write('three\n')
    await output.drain(60_000)
    t.equal(told, 0, 'draining does not wait for what fails')
    const next = pipe.open(constants.O_RDONLY)
    let text = ''
    t.ok(await eventually(() => {
      text += readAll(next)
      return told > 0
    }))
    t.equal(text + readAll(next), 'two\nthree\n')
  })

  await t.test('because it cannot be opened are dropped in the end, and nothing throws', async (t) => {
    const output = new Output(() => openSync('/nowhere/at/all', 'w'))
    for (let i = 0; i < 30; i++) output.write('x'.repeat(100_000))
    t.equal(output.dropped, 20)
  })
})

interface Server {
  child: ChildProcess
  url: string
  said: () => string
  ended: Promise<number | null>
}

async function start(t: Test, stdio: StdioOptions): Promise<Server> {
  const port = await freePort()
  const { child, log, ended } = launchServer(t, { PORT: String(port) }, { stdio })
  return { child, url: `http://127.0.0.1:${port}`, said: log, ended }
}

/** In how many of `looks` checks the main thread slept; one that spins never does. */
async function sleeps(pid: number, looks: number): Promise<number> {
  let asleep = 0
  for (let look = 0; look < looks; look++) {
    if (readFileSync(`/proc/${pid}/task/${pid}/stat`, 'utf8').split(') ')[1]!.startsWith('S')) asleep++
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return asleep
}

/** It serves, is idle without requests, and ends on a signal. */
async function behavesWell(t: Test, server: Server): Promise<void> {
  const answers = (path: string): Promise<string> => fetch(server.url + path).then((response) => response.text(), () => '')
  t.ok(await eventually(async () => (await answers('/ping')).includes('lag')), 'it serves')
  t.match(await answers('/metrics'), /^loopscope_log_dropped_total \d+$/m)
  if (process.platform === 'linux') {
    const asleep = await sleeps(server.child.pid!, 100)
    t.ok(asleep > 30, `its thread slept in ${asleep} of 100 looks`)
  }
  t.match(await answers('/handlers/async?ms=1'), '"handler":"async"')
  server.child.kill('SIGTERM')
  t.equal(await server.ended, 0, 'it ends')
}

t.test('a server whose standard output', async (t) => {
  await t.test('is a full disk behaves like any other, and reports it on standard error, once', { skip: noFull }, async (t) => {
    const full = openSync('/dev/full', 'w')
    t.teardown(() => closeSync(full))
    const server = await start(t, ['ignore', full, 'pipe'])
    await behavesWell(t, server)
    t.equal(server.said(), 'standard output cannot be written to: ENOSPC: no space left on device, write; the log waits, and what is beyond 1048576 bytes is dropped\n')
  })

  await t.test('and standard error are a full disk behaves like any other', { skip: noFull }, async (t) => {
    const full = openSync('/dev/full', 'w')
    t.teardown(() => closeSync(full))
    await behavesWell(t, await start(t, ['ignore', full, full]))
  })

  await t.test('is a full pipe without a reader behaves like any other', { skip: noFifo }, async (t) => {
    const fd = fifo(t).open(constants.O_RDWR)
    t.throws(() => { for (;;) writeSync(fd, 'x'.repeat(4096)) }, { code: 'EAGAIN' })
    await behavesWell(t, await start(t, ['ignore', fd, fd]))
  })

  await t.test('is a pipe with a closed end behaves like any other', async (t) => {
    const server = await start(t, ['ignore', 'pipe', 'pipe'])
    server.child.stdout!.destroy()
    await behavesWell(t, server)
    t.match(server.said(), /^standard output cannot be written to: EPIPE/)
  })

  await t.test('is a terminal that is closed ends with grace: requests under way are answered', { skip: without(['python3', 'python3']) }, async (t) => {
    const program = `
import os, pty, re, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
said = b''
while b'curl' not in said:
    said += os.read(terminal, 4096)
print(re.search(rb'listens on (\\S+)', said).group(1).decode(), flush=True)
sys.stdin.readline()
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))`
    const child = spawn('python3', ['-c', program, process.execPath, ...SERVER], {
      cwd: root, env: { PATH: process.env['PATH'], PORT: '0', OBSERVER_PORT: '0' }, stdio: ['pipe', 'pipe', 'inherit'],
    })
    t.teardown(() => { child.kill('SIGKILL') })
    const lines = createInterface({ input: child.stdout })
    const closed = once(child, 'close')
    const [url] = await once(lines, 'line') as [string]
    const code = once(lines, 'line') as Promise<[string]>
    const request = fetch(`${url}/handlers/async?ms=2000`)
    t.ok(await eventually(async () => /GET \/handlers\/async/.test(await (await fetch(`${url}/tasks`)).text())))
    child.stdin.write('\n')
    t.equal((await request).status, 200)
    // Node 20 cannot restore a terminal that has gone, and aborts at its very end.
    t.match((await code)[0], process.version.startsWith('v20.') ? /^(0|-6)$/ : /^0$/)
    await closed
  })
})

t.test('a failed start shows in the exit code if it cannot be written', { skip: noFull }, async (t) => {
  const full = openSync('/dev/full', 'w')
  t.teardown(() => closeSync(full))
  t.equal(await launchServer(t, { PORT: 'web' }, { stdio: ['ignore', full, full] }).ended, 1)
})
