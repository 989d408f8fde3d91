// The measured servers, each in a separate process. Those in Python take part if a Python has them.
import { fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const ECHO = 'x'.repeat(1024)

/** The measured servers of each comparison, the one that the others are compared with first: what each is, the requested path, and the body. */
export const SUITES = {
  fastify: {
    bare: { what: 'Fastify, a handler that replies', path: '/' },
    async: { what: 'Fastify, an async handler', path: '/' },
    coroutine: { what: 'Fastify with loopscope, a coroutine handler', path: '/' },
    observed: { what: 'the same, watched by an observer', path: '/' },
    server: { what: 'this project\'s server, /ping, observed', path: '/ping' },
    starlette: { what: 'Starlette on uvicorn, an async handler', path: '/' },
  },
  plain: {
    node: { what: 'Node\'s http, a listener that replies', path: '/' },
    watched: { what: 'the same, watched by observe()', path: '/' },
    async: { what: 'Fastify, an async handler', path: '/' },
    'async-watched': { what: 'the same, watched by observe()', path: '/' },
    'async-plugin': { what: 'the same, watched by the plugin', path: '/' },
  },
  asgi: asgi('/', { task: { what: 'Node\'s http, a listener that replies in a task', path: '/' } }),
  echo: asgi('/echo', {}, ECHO),
}

/** `limits`: what an ASGI server on Node cannot be faster than. */
function asgi(path, limits, body) {
  const request = { path, ...(body === undefined ? {} : { body }) }
  return {
    node: { what: 'Node\'s http, a listener that replies', ...request },
    ...limits,
    fastify: { what: 'Fastify, a handler that replies', ...request },
    asgi: { what: 'loopscope/asgi, an ASGI application', ...request },
    uvicorn: { what: 'uvicorn, the same application in Python', ...request },
    hypercorn: { what: 'hypercorn, the same', ...request },
  }
}

/** The Python packages that a server needs. */
const PACKAGES = { starlette: ['uvicorn', 'starlette'], uvicorn: ['uvicorn'], hypercorn: ['hypercorn', 'uvloop'] }

const START_MS = 30_000

export const isPython = (kind) => kind in PACKAGES

/** A Python that has what this server needs, with the versions of that and of what makes it fast; `null` if none has. */
export function findPython(kind) {
  const ask = `import sys, importlib.metadata as m\nprint("python", sys.version.split()[0])\nfor name in ${JSON.stringify(PACKAGES[kind])}: print(name, m.version(name))\n`
    + 'for name in ("uvloop", "httptools"):\n  try: print(name, m.version(name))\n  except m.PackageNotFoundError: print(name, "none")'
  for (const path of [process.env.PYTHON, 'python3', '/usr/bin/python3']) {
    if (!path) continue
    const { status, stdout } = spawnSync(path, ['-c', ask], { encoding: 'utf8' })
    if (status === 0) return { path, versions: Object.fromEntries(stdout.trim().split('\n').map((line) => line.split(' '))) }
  }
  return null
}

/** Start one: its port, a way to ask for the processor time it has used (µs, all threads and its loop's own), and a way to end it. */
export async function start(kind, python) {
  return isPython(kind) ? startPython(kind, python) : startNode(kind)
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

async function startPython(kind, python) {
  const server = spawn(python.path, [fileURLToPath(new URL('python_server.py', import.meta.url)), kind], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: server.stdout })
  const [port] = await within(kind, server, once(lines, 'line'))
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
