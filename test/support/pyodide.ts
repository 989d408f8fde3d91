// CPython 3.14, inside Node.
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { loadPyodide } from 'pyodide'

let started: ReturnType<typeof loadPyodide> | null = null

/** Starts it, which takes some seconds, once in a process. By default it would look for its files where the source map places its code. */
export const startPython = (): ReturnType<typeof loadPyodide> => (started ??= loadPyodide({ indexURL: dirname(createRequire(import.meta.url).resolve('pyodide')) }))
