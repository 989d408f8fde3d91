// Programs that freeze in the ways that people report, each in programs/ and each without a word of loopscope: runs one under
// an observer, sends it the requests that its head says, and compares the observer's report with the expected one.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { WebSocket } from 'undici'
import { eventually } from '../support/eventually.ts'
import { alone } from '../support/once.ts'
import { execute } from '../support/pack.ts'

const PROGRAMS = join(import.meta.dirname, 'programs')
const CACHE = join(import.meta.dirname, '../../node_modules/.cache/situations')
const PRELOAD = pathToFileURL(join(import.meta.dirname, 'preload.mjs')).href
/** The line that blocks. */
const MARK = '// here'
const POLL_MS = 15
/** How long a program may take until its stall is over, in ms. */
const PATIENCE_MS = 40_000
/** What a stall must last to be the one that is meant, in ms. */
const LEAST_MS = 120

/** What a program says in its head. */
export interface Situation {
  name: string
  title: string
  /** What it is asked for: paths, or `ws:/`. */
  asks: string[]
  /** Nothing blocks its loop. */
  nothing: boolean
  /** The function and the lines to be named, the kinds that are right, the request that is guilty, a library whose code it may be. */
  function: string | undefined
  lines: number[]
  kinds: string[]
  request: string | undefined
  library: string | undefined
  /** A function that must not be named. */
  innocent: string | undefined
  leastMs: number
  packages: string[]
  node: string[]
}

interface Told {
  ended: boolean
  name: string
  seconds: number
  kind?: string
  request?: number
  stack?: { function: string; file: string; line: number }[]
}

/** The report, and whether each part of it was right; `null` where nothing was expected. */
export interface Verdict {
  situation: Situation
  /** How long the stall had lasted when it was first seen with a name and a line, in ms; `null` if not while it lasted. */
  afterMs: number | null
  stall: Told | null
  whileItLasted: boolean
  function: boolean | null
  line: boolean | null
  kind: boolean | null
  request: boolean | null
  /** No report named innocent code or an innocent request. */
  noInnocent: boolean
  errors: string
}

export function situations(): Situation[] {
  return readdirSync(PROGRAMS).filter((file) => file !== 'serve.mjs').sort().map((file) => {
    const text = readFileSync(join(PROGRAMS, file), 'utf8')
    const lines = text.split('\n')
    const head = (what: string): string[] => new RegExp(`^// ${what}: (.*)$`, 'm').exec(text)?.[1]?.split(' ') ?? []
    const expects = head('expects')
    const field = (name: string): string | undefined => expects.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1)
    return {
      name: file.replace('.mjs', ''), title: lines[0]!.slice(3), asks: head('asks'), nothing: expects.includes('nothing'),
      function: field('function'), lines: lines.flatMap((line, at) => line.endsWith(MARK) ? [at + 1] : []), kinds: field('kind')?.split(',') ?? [],
      request: field('request'), library: field('library'), innocent: field('innocent'), leastMs: Number(field('least') ?? LEAST_MS),
      packages: head('packages'), node: head('node'),
    }
  })
}

/** A folder with the programs and the packages that they use, or the command that installs them. The programs are not below a `node_modules`. */
export async function prepare(): Promise<{ folder: string } | { missing: string }> {
  const packages = situations().flatMap((one) => one.packages)
  const installed = join(CACHE, createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 16))
  const done = join(installed, '.installed')
  const command = `npm install --prefix ${installed} ${packages.join(' ')} && touch ${done}`
  if (!existsSync(done) && process.env['CI'] !== 'true') return { missing: command }
  mkdirSync(installed, { recursive: true })
  await alone(join(installed, '.installing'), async () => {
    if (existsSync(done)) return
    writeFileSync(join(installed, 'package.json'), '{ "private": true }')
    await execute('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', installed, ...packages])
    writeFileSync(done, '')
  })
  const folder = mkdtempSync(join(tmpdir(), 'loopscope-situations-'))
  cpSync(PROGRAMS, folder, { recursive: true })
  symlinkSync(join(installed, 'node_modules'), join(folder, 'node_modules'))
  return { folder }
}

/** Runs a program until its stall is over, and judges the report. */
export async function run(situation: Situation, folder: string, node = process.execPath): Promise<Verdict> {
  // Through env, because tap adds a module to every process that it sees started.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', node, ...situation.node, '--import', PRELOAD, `${situation.name}.mjs`], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let errors = ''
  child.stdout.on('data', (chunk) => { out += String(chunk) })
  child.stderr.on('data', (chunk) => { errors += String(chunk) })
  try {
    await eventually(() => /listening \d+/.test(out) && errors.includes('the view is at'))
    const port = /listening (\d+)/.exec(out)?.[1]
    const observer = /the view is at (\S+?)\/?$/m.exec(errors)?.[1]
    if (port === undefined || observer === undefined) throw new Error(`${situation.name} did not start: ${out}${errors}`)
    // What blocks the loop while the program starts is not meant.
    await new Promise((resolve) => setTimeout(resolve, 300))
    const { length: before } = await stallsOf(observer)
    const asked = ask(situation.asks, port)
    const seen = await watch(situation, observer, before, situation.nothing ? asked : null)
    await asked
    return { ...judge(situation, seen), errors: errors.replace(/^the view is at.*\n/m, '') }
  } finally {
    child.kill('SIGKILL')
  }
}

/** Sends all requests, those that block after the others; they may fail. */
async function ask(asks: string[], port: string): Promise<void> {
  await Promise.allSettled(asks.map(async (path, at) => {
    await new Promise((resolve) => setTimeout(resolve, at * 100))
    if (!path.startsWith('ws:')) return (await fetch(`http://127.0.0.1:${port}${path}`)).text()
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path.slice(3)}`)
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('error', reject)
    })
    socket.send('to all')
    return ''
  }))
}

interface Seen {
  /** While it lasted. */
  blocked: Told[]
  /** When it was over. */
  stalls: Told[]
}

/** Follows the observer's reports until the stall is over, or `until` something else. `before`: the number of earlier stalls. */
async function watch({ leastMs }: Situation, observer: string, before: number, until: Promise<void> | null): Promise<Seen> {
  const seen: Seen = { blocked: [], stalls: [] }
  const read = async (): Promise<void> => {
    const stalls = await stallsOf(observer)
    seen.stalls = stalls.slice(0, stalls.length - before)
  }
  let over = false
  void until?.then(() => { over = true })
  const end = performance.now() + PATIENCE_MS
  while (performance.now() < end && !over) {
    const { loops } = await get<{ loops: { blocked: Told | null }[] }>(`${observer}/loops`)
    const blocked = loops[0]?.blocked ?? null
    if (blocked !== null) seen.blocked.push(blocked)
    else {
      await read()
      if (seen.stalls.some(({ seconds }) => seconds * 1000 >= leastMs)) return seen
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  await read()
  return seen
}

/** Those that are over, the newest first. */
async function stallsOf(observer: string): Promise<Told[]> {
  return (await get<{ stalls: Told[] }>(`${observer}/stalls`)).stalls.filter(({ ended }) => ended)
}

async function get<T>(url: string): Promise<T> {
  return await (await fetch(url, { headers: { accept: 'application/json' } })).json() as T
}

function judge(situation: Situation, { blocked, stalls }: Seen): Omit<Verdict, 'errors'> {
  const { leastMs, innocent } = situation
  const [stall = null] = stalls.filter(({ seconds }) => seconds * 1000 >= leastMs).sort((a, b) => b.seconds - a.seconds)
  const all = [...blocked, ...stalls]
  const noInnocent = !all.some((told) => /\/wait\b/.test(told.name) || (innocent !== undefined && (told.name.includes(innocent) || told.stack?.[0]?.function === innocent)))
  if (situation.nothing) return { situation, afterMs: null, stall, whileItLasted: stall === null, function: null, line: null, kind: null, request: null, noInnocent: stall === null && noInnocent }
  const named = blocked.find((told) => hasFunction(situation, told))
  return {
    situation, stall, noInnocent, afterMs: named === undefined ? null : Math.round(named.seconds * 1000), whileItLasted: named !== undefined,
    function: stall !== null && hasFunction(situation, stall),
    line: situation.lines.length === 0 ? null : stall?.stack?.some(({ file, line }) => file.includes(`${situation.name}.mjs`) && situation.lines.includes(line)) ?? false,
    kind: situation.kinds.includes(stall?.kind ?? ''),
    request: situation.request === undefined ? null : stall?.name.includes(`GET ${situation.request} `) ?? false,
  }
}

/** Whether the function, or the library, is in the stack of the report; without either, any report will do. */
function hasFunction({ function: name, library }: Situation, { stack = [] }: Told): boolean {
  if (library !== undefined) return stack.some(({ file }) => file.includes(library))
  return name === undefined || stack.some((frame) => frame.function.split(/[ .]/).includes(name))
}
