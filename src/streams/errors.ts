// The errors of Node's sockets and pipes as asyncio's classes.
import { BrokenPipeError, ConnectionAbortedError, ConnectionRefusedError, ConnectionResetError } from '../runtime/stream-errors.ts'

const CLASSES = {
  ECONNRESET: ConnectionResetError, EPIPE: BrokenPipeError, ECONNREFUSED: ConnectionRefusedError, ECONNABORTED: ConnectionAbortedError,
}

/** A ConnectionError for what a connection can fail with, any other error as it is. */
export function streamError(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined || !Object.hasOwn(CLASSES, code)) return error
  // Of a name with several addresses, each was tried.
  const tried = error instanceof AggregateError ? (error.errors as Error[]).map((one) => one.message).join('; ') : message
  return new CLASSES[code as keyof typeof CLASSES](tried, { code, cause: error })
}
