// The command line of `npm run conformance`.
import { parseArgs } from 'node:util'
import { OURS } from './runtime.ts'

export const USAGE = 'usage: npm run conformance -- [--programs N] [--seed S] [--start I] [--most M] [--runtime FILE]'

export interface Options {
  /** How many programs to compare. */
  programs: number
  seed: number
  /** The number of the first program. */
  start: number
  /** After how many mismatches to stop. */
  most: number
  /** The runtime to compare, a URL or a file. */
  runtime: string
}

const LARGEST = 2 ** 31 - 1

/** Reads the arguments; throws an Error with one line for invalid ones. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      programs: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' }, start: { type: 'string', default: '0' },
      most: { type: 'string', default: '1' }, runtime: { type: 'string', default: OURS },
    },
  })
  const whole = (name: 'programs' | 'seed' | 'start' | 'most', least: number): number => {
    const text = values[name]
    if (!/^\d+$/.test(text) || Number(text) < least || Number(text) > LARGEST) {
      throw new RangeError(`--${name} must be a whole number from ${least} to ${LARGEST}, got '${text}'`)
    }
    return Number(text)
  }
  return { programs: whole('programs', 1), seed: whole('seed', 0), start: whole('start', 0), most: whole('most', 1), runtime: values.runtime }
}
