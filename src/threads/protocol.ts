// The messages between the main thread and a worker thread.
import type { Address } from './exports.ts'
import type { Packed } from './errors.ts'
import type { Values } from './context-transfer.ts'

/** Worker: it is ready. */
export const READY = 0
/** Main: call a function. */
export const CALL = 1
/** Worker: what the function returned. */
export const RETURNED = 2
/** Worker: what the function threw. */
export const THREW = 3
/** Worker: run a coroutine on the main loop. */
export const REQUEST = 4
/** Main: what a requested coroutine returned or threw. */
export const REPLY = 5
/** Worker: cancel a requested coroutine. */
export const CANCEL = 6

export type Call = readonly [kind: typeof CALL, id: number, address: Address, args: unknown[], values: Values | undefined]
export type Returned = readonly [kind: typeof RETURNED, id: number, value: unknown, values: Values | undefined]
export type Threw = readonly [kind: typeof THREW, id: number, error: Packed, values: Values | undefined]
/** `call` is the call that asks; `blocks` says whether its thread waits for the reply. */
export type Request = readonly [
  kind: typeof REQUEST, id: number, call: number, blocks: boolean, address: Address, args: unknown[], values: Values | undefined,
]
export type Reply = readonly [kind: typeof REPLY, id: number, ok: boolean, value: unknown, values: Values | undefined]
export type Cancel = readonly [kind: typeof CANCEL, id: number]

export type ToWorker = Call | Reply
export type ToMain = readonly [kind: typeof READY] | Returned | Threw | Request | Cancel
