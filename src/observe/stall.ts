// A stall as it is given to functions of the program.
/** A stall that is over. `GET /stalls` has the same fields. */
export interface Stall {
  /** Counts up from 1. */
  id: number
  /** When it began, as an ISO time. */
  at: string
  seconds: number
  /** What blocked the thread: a request, a task, a name of `withName`, or a function. */
  name: string
  /** What kind of freeze it was, and what that was judged by: docs/observing.md. */
  kind?: string | undefined
  figures?: Record<string, number | string | undefined> | undefined
  task?: number | undefined
  request?: number | undefined
  /** Innermost frame first, if a stack was taken. */
  stack?: { function: string; file: string; line: number; column: number }[] | undefined
  /** The requests and tasks that it delayed, each by how many seconds. */
  victims: { name: string; seconds: number; task?: number | undefined; request?: number | undefined }[]
  /** The sum of all delays, in seconds. */
  lost: number
}
