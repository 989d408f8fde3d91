// The measured implementations, and how one sample of each is started. An implementation is a program in programs/ on some
// runtime.
import { spawn, spawnSync } from 'node:child_process'
import { totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

const bench = fileURLToPath(new URL('..', import.meta.url))
const TIMEOUT = 180_000
const heap = `--max-old-space-size=${Math.floor((totalmem() / 2 ** 20) * 0.7)}`
const node = [process.execPath, '--expose-gc', heap, 'sample.mjs']

/** The implementations by name, in the order they are shown; Python's are left out if no interpreter has them. */
export function implementations({ build, hookless, baseline }) {
  const python = findPython()
  return {
    loopscope: { command: [...node, 'loopscope'], env: { LOOPSCOPE_BUILD: build } },
    ...(baseline && { baseline: { command: [...node, 'loopscope'], env: { LOOPSCOPE_BUILD: baseline } } }),
    ...(hookless && { hookless: { command: [...node, 'loopscope'], env: { LOOPSCOPE_BUILD: hookless }, only: ['events'] } }),
    recording: { command: [...node, 'recording'], env: { LOOPSCOPE_BUILD: build }, only: ['events'] },
    native: { command: [...node, 'native'] },
    'native-tuned': { command: [...node, 'native-tuned'], only: ['spawn', 'pingpong', 'queue', 'cancel'] },
    effect: { command: [...node, 'effect'] },
    'effect-gen': { command: [...node, 'effect-gen'], only: ['spawn', 'deep'] },
    effection: { command: [...node, 'effection'] },
    ...(python && { asyncio: { command: [python.path, 'sample.py', 'asyncio'] } }),
    ...(python?.uvloop && { uvloop: { command: [python.path, 'sample.py', 'uvloop'] } }),
  }
}

/** Prefers the interpreter that can import uvloop, so that asyncio and uvloop are measured on the same one. */
export function findPython() {
  const ask = 'import sys, asyncio; asyncio.Runner; print(sys.version.split()[0])\ntry: import uvloop; print(uvloop.__version__)\nexcept ImportError: pass'
  const found = [process.env.PYTHON, 'python3', '/usr/bin/python3'].flatMap((path) => {
    const answer = path ? spawnSync(path, ['-c', ask], { encoding: 'utf8' }) : { status: 1, stdout: '' }
    if (answer.status !== 0) return []
    const [version, uvloop] = answer.stdout.trim().split('\n')
    return [{ path, version, uvloop }]
  })
  return found.find(({ uvloop }) => uvloop) ?? found[0]
}

/** Runs one sample to its end; a sample that fails or whose result is wrong rejects. */
export async function sample({ command, env }, job, { inherit = [] } = {}) {
  const [file, ...args] = [...command, JSON.stringify(job)]
  const child = spawn(file, [...inherit, ...args], { cwd: bench, env: { ...process.env, ...env }, timeout: TIMEOUT })
  const out = collectText(child.stdout)
  const err = collectText(child.stderr)
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (...end) => resolve(end))
  })
  if (code !== 0) throw new Error(signal ? `ended by ${signal}` : reason(err.text) || `exit code ${code}`)
  const measured = JSON.parse(lastLine(out.text))
  if (measured.value !== job.expected) throw new Error(`the result is ${measured.value}, not ${job.expected}`)
  return measured
}

function collectText(stream) {
  const collected = { text: '' }
  stream.setEncoding('utf8').on('data', (text) => (collected.text += text))
  return collected
}

// Node prints the error before its stack and version, Python at the very end.
const reason = (text) => text.split('\n').find((line) => /^\S*Error|^FATAL/.test(line)) ?? lastLine(text)
const lastLine = (text) => text.trimEnd().split('\n').findLast((line) => line.trim() !== '') ?? ''
