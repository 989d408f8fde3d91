// The program in the page's address: after the `#`, so it reaches no server and no log.
import { address, setAddress } from '../address.ts'
import { pack, unpack, type Shared } from './share.ts'

const FIELD = 'program'

/** What this page has written itself, so that it is not taken for an arrival. */
let written: string | null = null

/** The program in the address; null without one, or if this page wrote it. Throws an Error if it is unreadable. */
export async function arrivedProgram(): Promise<Shared | null> {
  const letters = address.value.get(FIELD)
  return letters === null || letters === written ? null : unpack(letters)
}

/** The number of the example that the address requests, once; otherwise null. */
export function takeStart(): number | null {
  const start = address.value.get('start')
  if (start === null) return null
  setAddress({ start: null })
  return Number(start)
}

/** The program that this page keeps in the address, or null. */
export async function keptProgram(): Promise<Shared | null> {
  return written !== null && address.value.get(FIELD) === written ? unpack(written) : null
}

/** Keeps a program in the address, without a new entry in the history. Returns the whole address; null if it is too long. */
export async function keepProgram(program: Shared): Promise<string | null> {
  const letters = await pack(program)
  if (letters === null) return null
  written = letters
  setAddress({ [FIELD]: letters })
  return location.href
}
