// What the page and the playground's thread say to each other. The thread runs a stranger's program, so the page reads
// what comes from there with these schemas and believes nothing else.
import '../zod-setup.ts'
import { z } from 'zod'
import { loopEvent } from '../../src/stream/events.ts'

/** A module of the program as it runs: JavaScript, and where in the source each piece of it came from. */
export interface CompiledModule {
  /** `program.ts`, and what it imports. */
  name: string
  code: string
  /** The `mappings` of a source map, version 3. */
  mappings: string
  /** Where in `code` the module's imports name what they import. */
  imports: { specifier: string; start: number; end: number }[]
}

/** What the page tells the thread: first `start`, on the port that everything else goes over. */
export type ToThread =
  | { type: 'start'; modules: CompiledModule[]; clock: 'real' | 'virtual'; until: number }
  | { type: 'ping'; count: number }
  | { type: 'cancel'; reason: string }

const MOST_TEXT = 5000
const text = z.string().transform((value) => (value.length > MOST_TEXT ? `${value.slice(0, MOST_TEXT)}…` : value))
const count = z.int().min(0)
const place = z.object({ function: text, file: text, line: z.int().min(1), column: z.int().min(1) })
const failure = z.object({ text, stack: z.array(place).max(100) })

/** What the thread tells the page. */
export const fromThread = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('events'), events: z.array(loopEvent).max(2000) }),
  /** A line that was printed outside of any loop. */
  z.object({ type: z.literal('line'), text }),
  /** The thread is held, and still able to say so: by whom, in which line, for how many seconds so far. */
  z.object({ type: z.literal('held'), seconds: z.number(), task: text.nullable(), place: place.nullable() }),
  z.object({ type: z.literal('pong'), count }),
  /** Something that nobody awaited went wrong, or is worth a warning. */
  z.object({ type: z.literal('report'), failure }),
  z.object({ type: z.literal('ended'), outcome: z.enum(['returned', 'raised', 'cancelled']), failure: failure.nullable(), note: text.nullable() }),
])

export type FromThread = z.output<typeof fromThread>
export type Failure = z.output<typeof failure>
export type Place = z.output<typeof place>
