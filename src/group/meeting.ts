// Where the processes of a group find each other, and how they recognize each other: they have inherited a secret. Another
// user of the machine may connect to the same address, or listen at it, but proves nothing there and receives nothing.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'

/** How long each side has to prove that it belongs to the group, in ms. */
export const PROOF_MS = 2000
/** The longest message before that, in bytes. */
export const LONGEST_GREETING = 1024

/**
 * The address at which the leader of a group listens. On Linux and Windows it exists as long as the process that listens; on
 * other systems it is a file, which may remain.
 */
export function meetingOf(secret: string): string {
  const name = `loopscope-${createHash('sha256').update(secret).digest('hex').slice(0, 32)}`
  if (process.platform === 'linux') return `\0${name}`
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), name)
}

export const isFile = (meeting: string): boolean => !/^(\0|\\\\)/.test(meeting)

export type Side = 'leader' | 'member'

export const newNonce = (): string => randomBytes(16).toString('hex')

/** What only a process with the secret can answer to a nonce. */
export function proofOf(secret: string, side: Side, nonce: string): string {
  return createHmac('sha256', secret).update(`${side} ${nonce}`).digest('hex')
}

export function isProof(proof: string, secret: string, side: Side, nonce: string): boolean {
  return timingSafeEqual(Buffer.from(proof, 'hex'), Buffer.from(proofOf(secret, side, nonce), 'hex'))
}

const nonce = z.string().regex(/^[0-9a-f]{32}$/)
const proof = z.string().regex(/^[0-9a-f]{64}$/)
const loop = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/)
/** The port of the group's view; `null` as long as its leader does not listen. */
const view = z.int().min(1).max(65_535).nullable()

/** The leader's first message. */
export const challenge = z.strictObject({ nonce })
/** The member's answer, with the name that its loop would have. */
export const greeting = z.strictObject({ nonce, proof, loop })
/** The leader's proof, and the name that the loop has. */
export const welcome = z.strictObject({ proof, loop, view })
/** The leader's later messages. */
export const toMember = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('view'), view }),
  z.strictObject({ type: z.literal('cancel'), id: z.int(), what: z.enum(['task', 'run']), target: z.int() }),
])
