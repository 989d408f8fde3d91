// The command line of `npm run fuzz:http`.
import { parseArgs } from 'node:util'

export const USAGE = 'usage: npm run fuzz:http -- [--tries N] [--seed S] [--only K] [--most M] [--root FOLDER]'

export interface Options {
  tries: number
  seed: number
  /** The number of the only try to make; `null`: all of them. */
  only: number | null
  /** After how many findings to stop. */
  most: number
  /** The tree with the server to start; by default this one. */
  root: string | undefined
}

const LARGEST = 2 ** 31 - 1

/** Reads the arguments; throws an Error with one line for invalid ones. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      tries: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' }, only: { type: 'string' }, most: { type: 'string', default: '10' }, root: { type: 'string' },
    },
  })
  const whole = (name: 'tries' | 'seed' | 'only' | 'most', least: number): number => {
    const text = values[name] as string
    if (!/^\d+$/.test(text) || Number(text) < least || Number(text) > LARGEST) throw new RangeError(`--${name} must be a whole number from ${least} to ${LARGEST}, got '${text}'`)
    return Number(text)
  }
  return { tries: whole('tries', 1), seed: whole('seed', 0), only: values.only === undefined ? null : whole('only', 0), most: whole('most', 1), root: values.root }
}
