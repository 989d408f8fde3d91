// asyncio's constants for the pipes of a process, which programs name also where there are no processes.

/** For `stdin`, `stdout`, `stderr`: a pipe, whose other end the Process has. */
export const PIPE = -1
/** For `stderr`: where `stdout` goes. */
export const STDOUT = -2
/** For `stdin`, `stdout`, `stderr`: nothing. */
export const DEVNULL = -3
