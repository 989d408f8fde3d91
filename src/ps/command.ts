// `loopscope ps` and `loopscope pstree`: the live tasks of a running program, with the line where each waits, from its observer.
import { helpOf, UsageError, type Options } from '../command/arguments.ts'
import { runCommand } from '../command/command.ts'
import { EXIT } from '../command/exit.ts'
import type { LiveLock, LiveTask } from '../events/schema.ts'
import { listeningAddresses, NotFound, numbersOf } from './find.ts'
import { awaitTree, taskTable } from './render.ts'

/** How long an observer has to answer, in ms, and one of the ports of a process has to say that it is one. */
const ANSWER_MS = 10_000
const GREETING_MS = 2000
const MOST_BYTES = 64 * 2 ** 20

const OPTIONS: Options = {
  url: { kind: 'text', value: 'URL', help: 'the address of the observer, instead of the process' },
  json: { kind: 'flag', help: 'the tasks as JSON, as the observer answers them' },
  help: { kind: 'flag', help: 'this text' },
}

export type Form = 'ps' | 'pstree'

const helpText = (form: Form): string => `loopscope ${form} PID [options]
loopscope ${form} --url URL [options]

Shows the live tasks of a running program ${form === 'ps' ? 'as a table' : 'as a tree, each below the one that awaits it'}, with the line where each waits. The program is watched by
observe(), the Fastify plugin or this project's server.

${helpOf(OPTIONS)}`

/** Returns the exit code. Errors are one line on stderr. */
export async function main(form: Form, args: readonly string[]): Promise<number> {
  try {
    return await runCommand({ name: `loopscope ${form}`, help: helpText(form), options: OPTIONS }, args, async ({ all, addresses }) => {
      const { tasks, locks } = await listOf(await observerOf(addresses.map(({ text }) => text), all.get('url') as string | undefined))
      if (all.has('json')) console.log(JSON.stringify({ tasks, locks }, null, 2))
      else if (tasks.length === 0) console.log('there are no tasks: no loop of loopscope runs there')
      else console.log(form === 'ps' ? taskTable(tasks, locks) : awaitTree(tasks, locks))
      return EXIT.fine
    })
  } catch (error) {
    if (!(error instanceof NotFound)) throw error
    console.error(`loopscope ${form}: ${error.message}`)
    return EXIT.target
  }
}

/** The address of the observer. */
async function observerOf(given: readonly string[], url: string | undefined): Promise<string> {
  if (url !== undefined) {
    if (given.length > 0) throw new UsageError('it takes the number of a process or --url, not both')
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw new UsageError(`--url is an http or https address, not "${url}"`)
    return url
  }
  const [text] = given
  if (text === undefined || given.length > 1) throw new UsageError(`it takes the number of one process, and was given ${given.length}`)
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new UsageError(`"${text}" is not the number of a process`)
  const pid = Number(text)
  const addresses = listeningAddresses(pid)
  const numbers = numbersOf(pid)
  const found = await Promise.all(addresses.map(async (address) => (await isObserver(address, numbers) ? address : null)))
  const observer = found.find((address) => address !== null)
  if (observer == null) throw new NotFound(`process ${pid} has no observer: it ${addresses.length === 0 ? 'listens nowhere' : `listens on ${addresses.join(', ')}, and none of these is one`}`)
  return observer
}

/** Whether the observer of one of these processes is at an address: its own loop has the process' number. An app's port has the same route, and may be blocked. */
async function isObserver(address: string, pids: readonly number[]): Promise<boolean> {
  try {
    const { loops } = await get(`${address}/loops`, GREETING_MS) as { loops?: { self?: unknown; pid?: unknown; observer?: unknown }[] }
    return loops?.some(({ self, pid, observer }) => self === true && pids.includes(pid as number) && new URL(String(observer)).port === new URL(address).port) === true
  } catch {
    return false
  }
}

async function listOf(observer: string): Promise<{ tasks: LiveTask[]; locks: LiveLock[] }> {
  const list = await get(`${observer.replace(/\/+$/, '')}/tasks?lines`, ANSWER_MS) as { tasks?: LiveTask[]; locks?: LiveLock[] } | null
  if (!Array.isArray(list?.tasks) || !list.tasks.every(isTask)) throw new NotFound(`${observer} is not an observer: it has no list of tasks`)
  return { tasks: list.tasks, locks: list.locks ?? [] }
}

function isTask({ task, name, coroutine, state }: Partial<LiveTask>): boolean {
  return typeof task === 'number' && [name, coroutine, state].every((text) => typeof text === 'string')
}

async function get(url: string, ms: number): Promise<unknown> {
  try {
    const answer = await fetch(url, { headers: { accept: 'application/json' }, signal: AbortSignal.timeout(ms), redirect: 'error' })
    let text = ''
    const decoder = new TextDecoder()
    for await (const part of answer.body ?? []) {
      text += decoder.decode(part as Uint8Array, { stream: true })
      if (text.length > MOST_BYTES) throw new Error('the answer is too long')
    }
    if (!answer.ok) throw new Error(`it answered ${answer.status}`)
    return JSON.parse(text) as unknown
  } catch (error) {
    const { message, cause, name } = error as Error
    throw new NotFound(`${url} gave no answer that can be used: ${name === 'TimeoutError' ? `none within ${ms / 1000} s` : (cause as Error | undefined)?.message ?? message}`)
  }
}
