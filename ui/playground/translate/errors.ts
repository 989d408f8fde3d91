// Python's exceptions: what each is called in TypeScript, and where it comes from.

export interface ErrorName {
  code: string
  /** The module that exports it; null for JavaScript's own. */
  from: 'loopscope' | './python.ts' | null
  /** Its name in Python, where it has several. */
  python: string
}

const table = (from: ErrorName['from'], names: string): Record<string, ErrorName> =>
  Object.fromEntries(names.split(' ').map((name) => [name, { code: name, from, python: name }]))

export const ERRORS: Readonly<Record<string, ErrorName>> = {
  ...table('loopscope', 'RuntimeError CancelledError TimeoutError InvalidStateError QueueEmpty QueueFull QueueShutDown BrokenBarrierError KeyboardInterrupt ExceptionGroup'),
  ...table('./python.ts', 'LookupError KeyError IndexError ArithmeticError ZeroDivisionError OverflowError AssertionError OSError ConnectionError ConnectionResetError ' +
    'ConnectionRefusedError ConnectionAbortedError BrokenPipeError FileNotFoundError PermissionError NotImplementedError StopAsyncIteration'),
  ValueError: { code: 'RangeError', from: null, python: 'ValueError' },
  TypeError: { code: 'TypeError', from: null, python: 'TypeError' },
  Exception: { code: 'Error', from: null, python: 'Exception' },
  BaseException: { code: 'Error', from: null, python: 'BaseException' },
  BaseExceptionGroup: { code: 'ExceptionGroup', from: 'loopscope', python: 'ExceptionGroup' },
  IOError: { code: 'OSError', from: './python.ts', python: 'OSError' },
}

/** An exception in TypeScript; the class of all of them if it is not in the table. */
export function errorName(python: string): ErrorName {
  return ERRORS[python] ?? { code: 'Error', from: null, python }
}

export function isErrorName(name: string): boolean {
  return Object.hasOwn(ERRORS, name)
}

/** Exceptions whose text is not simply what they were made with. */
export const TEXT_OF_ITS_OWN = new Set(['KeyError', 'TimeoutError', 'ExceptionGroup', 'Exception', 'BaseException', 'LookupError', 'OSError'])
