// The command line of `npm run conformance:asgi`.
import { parseArgs } from 'node:util'
import { ALL_CASES } from './cases.ts'
import { commandTarget, PACKAGES, SERVERS, urlTarget, versionOf, type Target } from './targets.ts'

export const USAGE = 'usage: npm run conformance:asgi -- [--server ours|uvicorn|hypercorn|all] [--url URL [--tls-url URL]] [--command "SERVER … {port}" [--tls-command "SERVER … {port} {key} {certificate}"]] [--only H1,W5] [--json] [--markdown FILE]'

export interface Options {
  targets: Target[]
  json: boolean
  /** The page that the table is written into. */
  markdown: string | null
  /** The requirements that are looked at; null for all. */
  only: string[] | null
}

const NAMES = Object.keys(SERVERS) as (keyof typeof SERVERS)[]

/** Reads the arguments; throws an Error with one line for invalid ones. */
export function readOptions(args: string[]): Options {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ args, options: { 'server': text, 'url': text, 'tls-url': text, 'command': text, 'tls-command': text, 'only': text, 'json': { type: 'boolean', default: false }, 'markdown': text } })
  const { server, url, command, only } = values
  if ([server, url, command].filter((one) => one !== undefined).length > 1) throw new TypeError('give one of --server, --url and --command')
  const ids = only?.split(',') ?? null
  const unknown = ids?.find((id) => !ALL_CASES.some((one) => one.id === id))
  if (unknown !== undefined) throw new TypeError(`--only lists requirements such as H1,W5, got '${unknown}'`)
  const rest = { json: values.json, markdown: values.markdown ?? null, only: ids }
  if (url !== undefined) return { targets: [urlTarget(url, values['tls-url'] ?? null)], ...rest }
  if (command !== undefined) return { targets: [commandTarget(command.split(' ')[0] as string, { plain: words(command), secure: values['tls-command'] === undefined ? null : words(values['tls-command']) })], ...rest }
  const names = server === 'all' ? NAMES : NAMES.filter((name) => name === (server ?? 'ours'))
  if (names.length === 0) throw new TypeError(`--server is one of ${NAMES.join(', ')} and all, got '${server}'`)
  return { targets: names.map((name) => namedTarget(name)), ...rest }
}

/** What to do without a server of Debian. */
export function missing(name: keyof typeof SERVERS): string {
  return `no ${name} for /usr/bin/python3: install ${name === 'ours' ? 'loopscope' : PACKAGES[name].map((one) => `python3-${one}`).join(', ')}`
}

function namedTarget(name: keyof typeof SERVERS): Target {
  const version = versionOf(name)
  if (version === null) throw new Error(missing(name))
  return commandTarget(`${name === 'ours' ? 'loopscope' : name} ${version}`, SERVERS[name])
}

function words(command: string): string[] {
  if (!command.includes('{port}')) throw new TypeError(`a command needs {port}, got '${command}'`)
  return command.trim().split(/\s+/)
}
