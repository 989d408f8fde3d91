// A program as a part of an address, and back: deflated, in characters that addresses allow. Addresses are untrusted, so the
// part is bounded before it is unpacked, and used as text only.
import '../zod-setup.ts'
import { z } from 'zod'
import { languages, type Language } from '../language.ts'

/** The longest program, in characters. */
export const MOST_CODE = 50_000
/** The longest address part; a longer one is refused unread. */
const MOST_LETTERS = 80_000
const MOST_BYTES = 4 * MOST_CODE

const shared = z.strictObject({
  /** Missing in links from before Python could be chosen. */
  language: z.enum(languages).default('typescript'),
  code: z.string().max(MOST_CODE),
  clock: z.enum(['real', 'virtual']),
  until: z.number().min(0.001).max(1e6),
})

export interface Shared {
  language: Language
  code: string
  clock: 'real' | 'virtual'
  /** In virtual time, the second at which a program that has not ended is cancelled. */
  until: number
}

/** A program as letters of an address; null if it is too long to share. */
export async function pack(program: Shared): Promise<string | null> {
  if (program.code.length > MOST_CODE) return null
  const stream = new Blob([JSON.stringify(program)]).stream().pipeThrough(new CompressionStream('deflate-raw'))
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer())
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  const letters = btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  return letters.length > MOST_LETTERS ? null : letters
}

/** The program in the letters of an address; throws an Error that describes what is wrong with them. */
export async function unpack(letters: string): Promise<Shared> {
  if (letters.length > MOST_LETTERS) throw new Error('it is too long')
  if (!/^[\w-]*$/.test(letters)) throw new Error('it has characters that such a link cannot have')
  let text: string
  try {
    const binary = atob(letters.replaceAll('-', '+').replaceAll('_', '/'))
    text = await inflate(Uint8Array.from(binary, (character) => character.charCodeAt(0)))
  } catch (error) {
    throw new Error(error instanceof RangeError ? error.message : 'a part of it is missing or changed', { cause: error })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Error('a part of it is missing or changed', { cause: error })
  }
  const parsed = shared.safeParse(value)
  if (!parsed.success) throw new Error('its content is not a program of this playground')
  return parsed.data
}

/** A short text can unpack to a huge one, so the size is checked on the way. */
async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
  const reader = stream.getReader()
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    size += value.byteLength
    if (size > MOST_BYTES) {
      void reader.cancel()
      throw new RangeError('it unpacks to more than a program may be')
    }
    text += decoder.decode(value, { stream: true })
  }
}
