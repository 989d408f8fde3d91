// CPython 3.14, inside Node.
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { loadPyodide } from 'pyodide'

/** Start it, which takes some seconds. By itself it would look for its files where the source map says that its code stands. */
export const startPython = (): ReturnType<typeof loadPyodide> => loadPyodide({ indexURL: dirname(createRequire(import.meta.url).resolve('pyodide')) })
