// The names of src/streams where there are no sockets and processes: a program loads, and the call says what is missing.
import { RuntimeError } from '../runtime/exceptions.ts'

const absent = (name: string) => (): never => {
  throw new RuntimeError(`${name}: browsers have no sockets and processes; use fetch or a WebSocket, with fromPromise and fromEvents`)
}

export const openConnection = absent('openConnection')
export const openUnixConnection = absent('openUnixConnection')
export const startServer = absent('startServer')
export const startUnixServer = absent('startUnixServer')
export const createSubprocessExec = absent('createSubprocessExec')
export const createSubprocessShell = absent('createSubprocessShell')
