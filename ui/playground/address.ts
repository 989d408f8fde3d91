// The program in the page's address: after the `#`, where no server and no log ever sees it.
import { address, setAddress } from '../address.ts'
import { pack, unpack, type Shared } from './share.ts'

const FIELD = 'program'

/** What this page has put there itself: no news when it is read again. */
let written: string | null = null

/** The program that the address holds; null for none, or for what this page wrote; throws an Error if it cannot be read. */
export async function arrivedProgram(): Promise<Shared | null> {
  const letters = address.value.get(FIELD)
  return letters === null || letters === written ? null : unpack(letters)
}

/** The number of the example that the address asks for, once; null for none. */
export function takeStart(): number | null {
  const start = address.value.get('start')
  if (start === null) return null
  setAddress({ start: null })
  return Number(start)
}

/** The program that this page keeps in the address, null for none. */
export async function keptProgram(): Promise<Shared | null> {
  return written !== null && address.value.get(FIELD) === written ? unpack(written) : null
}

/** Keep a program in the address, without a new entry in the history. Gives the whole address; null if it is too long. */
export async function keepProgram(program: Shared): Promise<string | null> {
  const letters = await pack(program)
  if (letters === null) return null
  written = letters
  setAddress({ [FIELD]: letters })
  return location.href
}
