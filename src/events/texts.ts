// The texts of events, which a program or one of its clients may make as long as it likes: an event has the beginning of a
// longer one, so that what is kept, and what is sent, is bounded in bytes.
import type { LoopEvent } from './schema.ts'

/** The longest text of an event, in bytes of UTF-8. */
export const LONGEST_TEXT = 1024

const encoder = new TextEncoder()
const decoder = new TextDecoder()
/** What a text that was cut ends with. */
const MARK = encoder.encode('…')
const scratch = new Uint8Array(LONGEST_TEXT)
/** What an event without such texts takes. */
const PLAIN_BYTES = 150

/** Write a text as UTF-8, cut between two characters where `into` has no room for more; gives how many bytes it took. */
export function writeText(text: string, into: Uint8Array): number {
  const { read, written } = encoder.encodeInto(text, into)
  if (read === text.length) return written
  const { written: begun } = encoder.encodeInto(text, into.subarray(0, into.length - MARK.length))
  into.set(MARK, begun)
  return begun + MARK.length
}

/** The text as an event has it. */
export function cutText(text: string): string {
  if (text.length * 3 <= LONGEST_TEXT || encoder.encodeInto(text, scratch).read === text.length) return text
  // Not a slice, which would keep the whole text in memory.
  return decoder.decode(scratch.subarray(0, writeText(text, scratch)))
}

/** Whether an event may have a text that is not this library's own. Steps come by the million, and most of theirs have none. */
function hasTexts(event: Pick<LoopEvent, 'type'> & { on?: { label?: string | undefined }; location?: unknown }): boolean {
  switch (event.type) {
    case 'task.ready':
    case 'task.running':
    case 'loop.busy':
    case 'queue.changed':
      return false
    case 'task.suspended':
      return event.on?.label !== undefined || event.location !== undefined
    default:
      return true
  }
}

/** An event with every text in it cut; the very same where none is too long. */
export function cutEvent<T extends Pick<LoopEvent, 'type'>>(event: T): T {
  return hasTexts(event) ? cutTexts(event) : event
}

/** About how many bytes an event takes as JSON. */
export function sizeOfEvent(event: LoopEvent): number {
  return hasTexts(event) ? sizeOf(event) : PLAIN_BYTES
}

/** A value with every text in it cut; the very same where none is too long. */
export function cutTexts<T>(value: T): T {
  if (typeof value === 'string') return cutText(value) as T & string
  if (typeof value !== 'object' || value === null) return value
  let changed: T | null = null
  for (const key in value) {
    const cut = cutTexts(value[key])
    if (cut === value[key]) continue
    changed ??= (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as T & object
    changed[key] = cut
  }
  return changed ?? value
}

/** About how many bytes something takes as JSON: enough to count what is kept, without making it. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 8
  let size = 2
  for (const key in value) size += key.length + 4 + sizeOf((value as Record<string, unknown>)[key])
  return size
}
