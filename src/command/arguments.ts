// Reads command lines whose options belong to the address before them: `A --rate 5 B --rate 9` gives A the rate 5 and B the
// rate 9. Every option has one kind and one range, which its error names.
import { parseArgs } from 'node:util'

export interface Option {
  kind: 'number' | 'whole' | 'text' | 'flag'
  /** The placeholder for its value in the help. */
  value?: string
  help: string
  least?: number
  most?: number
  /** The allowed words. */
  words?: readonly string[]
  /** It may be given several times. */
  many?: boolean
  /** It is for one stream, or for all if it comes before the first address. */
  ofStream?: boolean
}

export type Options = Readonly<Record<string, Option>>
export type Value = string | number | boolean | string[]

/** The command line is not valid. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** The given values, by the option's name. */
export type Given = Map<string, Value>

export interface CommandLine {
  /** For the whole command. */
  all: Given
  /** Options of streams before the first address. */
  common: Given
  /** Each address with its own options. */
  addresses: { text: string; own: Given }[]
}

/** The options for Node's `parseArgs`. */
export function optionTypes(options: Options): Record<string, { type: 'boolean' | 'string' }> {
  return Object.fromEntries(Object.entries(options).map(([name, { kind }]) => [name, { type: kind === 'flag' ? 'boolean' : 'string' }]))
}

/** Throws a UsageError that says which word is wrong and what would be right. */
export function readArguments(args: readonly string[], options: Options): CommandLine {
  const { tokens } = parseArgs({ args: [...args], options: optionTypes(options), strict: false, allowPositionals: true, tokens: true })
  const line: CommandLine = { all: new Map(), common: new Map(), addresses: [] }
  for (const token of tokens) {
    if (token.kind === 'positional') line.addresses.push({ text: token.value, own: new Map() })
    if (token.kind !== 'option') continue
    const option = options[token.name]
    if (option === undefined) throw new UsageError(`there is no option ${token.rawName}${closest(token.name, options)}`)
    const given = option.ofStream === true ? line.addresses.at(-1)?.own ?? line.common : line.all
    const value = readValue(token.rawName, token.value, option)
    const before = given.get(token.name)
    if (before === undefined) given.set(token.name, option.many === true ? [value as string] : value)
    else if (option.many === true) (before as string[]).push(value as string)
    else throw new UsageError(`${token.rawName} is given twice: ${String(before)} and ${String(value)}`)
  }
  return line
}

/** The value of an option, from its text. Throws a UsageError that says under `name` what is allowed. */
export function readValue(name: string, text: string | undefined, { kind, words, least = 0, most = Infinity }: Option): Value {
  if (kind === 'flag') {
    if (text !== undefined) throw new UsageError(`${name} takes no value, and was given "${text}"`)
    return true
  }
  if (text === undefined || (text.startsWith('--') && text.length > 2)) throw new UsageError(`${name} needs a value`)
  if (kind === 'text') {
    if (words !== undefined && !words.includes(text)) throw new UsageError(`${name} is one of ${words.join(', ')}, not "${text}"`)
    return text
  }
  const number = (kind === 'whole' ? /^-?\d{1,12}$/ : /^-?\d{1,12}(\.\d{1,9})?$/).test(text) ? Number(text) : NaN
  if (!(number >= least && number <= most)) {
    const range = most === Infinity ? `from ${least}` : `from ${least} to ${most}`
    throw new UsageError(`${name} is a ${kind === 'whole' ? 'whole number' : 'number'} ${range}, not "${text}"`)
  }
  return number
}

function closest(name: string, options: Options): string {
  const near = Object.keys(options).find((known) => known.startsWith(name) || name.startsWith(known) || apart(known, name) <= 2)
  return near === undefined ? ': --help lists what there is' : `: is --${near} meant?`
}

/** How many letters differ between two words. */
function apart(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}

/** The options as lines of a help text. */
export function helpOf(options: Options, of: (option: Option) => boolean = () => true): string {
  const rows = Object.entries(options).filter(([, option]) => of(option)).map(([name, { value, help }]) => [`--${name}${value === undefined ? '' : ` ${value}`}`, help] as const)
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`).join('\n')
}
