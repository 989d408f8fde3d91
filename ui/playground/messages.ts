// The messages between the page and the playground's thread. The thread runs an untrusted program, so the gate checks all of
// its messages with these schemas.
import '../zod-setup.ts'
import { z } from 'zod'
import type { LoopEvent } from '../../src/events/schema.ts'

/** The offset of task and queue ids for each further loop of a program, because the page shows all of them as one loop. */
export const STRIDE = 1_000_000

/** A module of the program as JavaScript, with its source map. */
export interface CompiledModule {
  /** `program.ts`, or a module that it imports. */
  name: string
  code: string
  /** The `mappings` of a source map, version 3. */
  mappings: string
  /** The places of the specifiers in the imports of `code`. */
  imports: { specifier: string; start: number; end: number }[]
}

/** The lines at which a program that was compiled for stepping stops. */
export interface StepOptions {
  /** Whether at every line. */
  each: boolean
  /** The lines with a breakpoint, from 1. */
  breakpoints: number[]
}

/** What a thread runs. */
export type Program =
  | { language: 'typescript'; modules: CompiledModule[] }
  | { language: 'python'; code: string }

/** The files of CPython, as the package pyodide has them. As blobs: bytes would be copied from one process of the browser to another. */
export type PythonFile = 'pyodide.mjs' | 'pyodide.asm.mjs' | 'pyodide.asm.wasm' | 'python_stdlib.zip' | 'pyodide-lock.json'
export type PythonFiles = Record<PythonFile, Blob>

/**
 * Messages from the page to the thread. TypeScript's begins with `start`; Python's with `open`, says `ready`, and waits for
 * `start`. The rest go over the port that comes with the first.
 */
export type ToThread =
  | { type: 'open'; files: PythonFiles; snapshot: Blob | null }
  | { type: 'start'; program: Program; clock: 'real' | 'virtual'; until: number; steps: StepOptions | null }
  | { type: 'ping'; count: number }
  /** A question of the page, before `start`: what the syntax tree of this Python program is. */
  | { type: 'parse'; id: number; code: string }
  /** The page has taken all lines that were recorded, and wants more of them. */
  | { type: 'go'; steps: StepOptions }
  | { type: 'cancel'; reason: string }

const place = z.object({ function: z.string(), file: z.string(), line: z.int().min(1), column: z.int().min(1) })
const failure = z.object({ text: z.string(), stack: z.array(place).max(100) })

/** Messages from the thread, except its events. */
export const said = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  /** A line that was printed outside of any loop. */
  z.object({ type: z.literal('line'), text: z.string() }),
  /** The thread is blocked but can still report it: the task, the place, and the seconds so far. */
  z.object({ type: z.literal('held'), seconds: z.number(), task: z.string().nullable(), place: place.nullable() }),
  /** A sign of life. `idle`: no timer is set, and no task waits for the host, so that only a task could make another one ready. */
  z.object({ type: z.literal('pong'), count: z.int().min(0), idle: z.boolean() }),
  /** The program has come to a line: its running task, the lines that it passed unrecorded, and its functions, innermost first. */
  z.object({
    type: z.literal('stop'), line: z.int().min(1), task: z.int().nullable(), missed: z.int().min(0),
    stack: z.array(z.object({
      function: z.string(), line: z.int().min(0),
      /** The variables that can be seen there; those that are not local belong to the code around the function. */
      variables: z.array(z.object({ name: z.string(), value: z.string(), local: z.boolean() })),
    })),
  }),
  /** Its loop pauses until the page has taken the recorded lines. */
  z.object({ type: z.literal('ahead') }),
  /** An exception that no task awaited, or a warning. */
  z.object({ type: z.literal('report'), failure }),
  z.object({ type: z.literal('ended'), outcome: z.enum(['returned', 'raised', 'cancelled']), failure: failure.nullable(), note: z.string().nullable() }),
])

/** The longest syntax tree, in characters of its JSON. */
const LONGEST_TREE = 8_000_000

/** The answer to `parse`. The tree is JSON, and is read only where it is used. */
export const parsed = z.object({
  type: z.literal('parsed'),
  id: z.int().min(0),
  tree: z.string().max(LONGEST_TREE).nullable(),
  problem: z.object({ text: z.string().max(2000), line: z.int().min(1), column: z.int().min(1) }).nullable(),
})

export type Said = z.output<typeof said>
export type Parsed = z.output<typeof parsed>
export type Failure = z.output<typeof failure>
export type Place = z.output<typeof place>
export type Stop = Said & { type: 'stop' }

/** The memory of CPython when it has started, from which another thread starts in a quarter of the time; at most this many bytes. */
export const LARGEST_SNAPSHOT = 64 * 1024 * 1024

/** Messages from the thread to the gate: several events in one message. */
export type FromThread = Said | Parsed | { type: 'events'; events: LoopEvent[] } | { type: 'snapshot'; snapshot: Blob }

/** Messages from the page to the gate: the port of the thread, the request for the next batch, the end of the thread, and the messages for it. */
export type ToGate = { type: 'open' } | { type: 'more' } | { type: 'close' } | Exclude<ToThread, { type: 'open' }>

/** A batch of accepted messages for the page, and the number of refused ones so far. */
export interface FromGate {
  items: (Said | { type: 'event'; event: LoopEvent })[]
  refused: number
  /** The answer to `parse`; it comes by itself. */
  parsed?: Parsed
  /** The memory of CPython; it comes by itself, once. */
  snapshot?: Blob
  /** Set if the thread must be ended at once: the reason. */
  over?: string
}

export type Item = FromGate['items'][number]
