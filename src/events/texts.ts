// Limits the texts in events. A program or its clients may make them as long as they like, so a long text is cut: this bounds
// what is kept and sent.
import type { LoopEvent } from './schema.ts'

/** The longest text in an event, in bytes of UTF-8. */
export const LONGEST_TEXT = 1024

const encoder = new TextEncoder()
const decoder = new TextDecoder()
/** Ends a text that was cut. */
const MARK = encoder.encode('…')
const scratch = new Uint8Array(LONGEST_TEXT)
/** Size of an event without texts. */
const PLAIN_BYTES = 150

/** Writes a text as UTF-8, cut between two characters if `into` has no room for it all; returns the number of bytes. */
export function writeText(text: string, into: Uint8Array): number {
  const { read, written } = encoder.encodeInto(text, into)
  if (read === text.length) return written
  const { written: begun } = encoder.encodeInto(text, into.subarray(0, into.length - MARK.length))
  into.set(MARK, begun)
  return begun + MARK.length
}

/** The text as it appears in an event. */
export function cutText(text: string): string {
  if (text.length * 3 <= LONGEST_TEXT || encoder.encodeInto(text, scratch).read === text.length) return text
  // A slice would keep the whole text in memory.
  return decoder.decode(scratch.subarray(0, writeText(text, scratch)))
}

/** Whether an event may contain texts of the program. Steps come by the million, and most contain none. */
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

/** The event with all its texts cut; the same object if none is too long. */
export function cutEvent<T extends Pick<LoopEvent, 'type'>>(event: T): T {
  return hasTexts(event) ? cutTexts(event) : event
}

/** The approximate size of an event as JSON, in bytes. */
export function sizeOfEvent(event: LoopEvent): number {
  // Those of every request, without going through their fields.
  switch (event.type) {
    case 'request.started':
    case 'request.finished':
      return PLAIN_BYTES + event.method.length + event.url.length
    case 'task.created':
      return event.location === undefined ? PLAIN_BYTES + event.name.length + event.coroutine.length : sizeOf(event)
    case 'task.finished':
      return PLAIN_BYTES + (event.error?.length ?? 0)
    default:
      return hasTexts(event) ? sizeOf(event) : PLAIN_BYTES
  }
}

/** The value with all its texts cut; the same object if none is too long. */
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

/** The approximate size of a value as JSON, in bytes, calculated without encoding it. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 8
  let size = 2
  for (const key in value) size += key.length + 4 + sizeOf((value as Record<string, unknown>)[key])
  return size
}
