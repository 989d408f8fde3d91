// The measured servers, each in a separate process. Starlette takes part if a Python has it.
import { fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** What each is, and the requested path. */
export const SERVERS = {
  bare: { what: 'Fastify, a handler that replies', path: '/' },
  async: { what: 'Fastify, an async handler', path: '/' },
  coroutine: { what: 'Fastify with loopscope, a coroutine handler', path: '/' },
  observed: { what: 'the same, watched by an observer', path: '/' },
  server: { what: 'this project\'s server, /ping, observed', path: '/ping' },
  starlette: { what: 'Starlette on uvicorn, an async handler', path: '/' },
}

const START_MS = 30_000

/** The Python that has uvicorn and Starlette, with the versions of both and of what makes them fast; `null` if none has. */
export function findStarlette() {
  const ask = 'import sys, uvicorn, starlette\nprint("python", sys.version.split()[0])\nprint("uvicorn", uvicorn.__version__)\nprint("starlette", starlette.__version__)\n'
    + 'for name in ("uvloop", "httptools"):\n  try: print(name, __import__(name).__version__)\n  except ImportError: print(name, "none")'
  for (const path of [process.env.PYTHON, 'python3', '/usr/bin/python3']) {
    if (!path) continue
    const { status, stdout } = spawnSync(path, ['-c', ask], { encoding: 'utf8' })
    if (status === 0) return { path, versions: Object.fromEntries(stdout.trim().split('\n').map((line) => line.split(' '))) }
  }
  return null
}

/** Start one: its port, a way to ask for the processor time it has used (µs, all threads and its loop's own), and a way to end it. */
export async function start(kind, python) {
  return kind === 'starlette' ? startPython(python) : startNode(kind)
}

async function startNode(kind) {
  const server = fork(new URL('serve.mjs', import.meta.url), [kind], { execArgv: process.execArgv })
  const [port] = await within(kind, server, once(server, 'message'))
  return {
    port,
    processorTime: async () => {
      server.send('cpu')
      return (await once(server, 'message'))[0]
    },
    stop: () => server.kill(),
  }
}

async function startPython(python) {
  const server = spawn(python.path, [fileURLToPath(new URL('starlette_server.py', import.meta.url))], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: server.stdout })
  const [port] = await within('starlette', server, once(lines, 'line'))
  return {
    port: Number(port),
    processorTime: async () => {
      server.stdin.write('cpu\n')
      const all = Number((await once(lines, 'line'))[0])
      return { all, own: all }
    },
    stop: () => server.kill(),
  }
}

function within(kind, server, ready) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${kind} did not start within ${START_MS / 1000} s`)), START_MS)
    const ended = (code) => reject(new Error(`${kind} ended with ${code} before it was ready`))
    server.once('exit', ended)
    ready.then((value) => {
      clearTimeout(timer)
      server.off('exit', ended)
      resolve(value)
    }, reject)
  })
}
