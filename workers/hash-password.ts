// Hashes a password with scrypt, which is slow on purpose: processor work that a coroutine cannot interrupt.
import { scryptSync } from 'node:crypto'
import { requireIntegerBetween } from './checks.ts'

const KEY_BYTES = 32
const BLOCK_SIZE = 8
/** How long a password may be, in characters. */
const LONGEST = 1024

/**
 * Hashes `password` with `salt`; the work doubles with each step of `cost` (1 to 18, the power of two that scrypt calls N;
 * 14 takes some 50 ms and 16 MiB). Returns 64 hexadecimal digits.
 */
export function hashPassword(password: string, salt: string, cost = 14): string {
  for (const [what, value] of [['password', password], ['salt', salt]] as const) {
    if (typeof value !== 'string') throw new TypeError(`hashPassword: ${what} must be a string, got ${typeof value}`)
    if (value.length > LONGEST) throw new RangeError(`hashPassword: ${what} may have ${LONGEST} characters, got ${value.length}`)
  }
  requireIntegerBetween('hashPassword', 'cost', cost, 1, 18)
  const N = 2 ** cost
  return scryptSync(password, salt, KEY_BYTES, { N, r: BLOCK_SIZE, maxmem: 256 * N * BLOCK_SIZE }).toString('hex')
}
