// CPython 3.14's asyncio, inside Node: runs programs in Python and returns what they logged.
import { readFile } from 'node:fs/promises'
import { startPython } from '../support/pyodide.ts'

export interface Trace {
  lines: string[]
  /** False for a program that would never have ended: it is given up, and not compared. */
  ended: boolean
}

export interface PythonProgram {
  source: string
  /** The variables to check when the program has ended. */
  left: string[]
}

export interface Oracle {
  version: string
  run(programs: PythonProgram[]): Trace[]
}

/** Starts CPython, which takes some seconds. Throws if it is not 3.14: the proved order is that version's. */
export async function loadOracle(): Promise<Oracle> {
  const python = await startPython()
  const version = String(python.runPython('import sys; sys.version.split()[0]') as unknown)
  if (!version.startsWith('3.14.')) throw new Error(`the oracle is CPython 3.14, but this pyodide holds ${version}`)
  for (const filename of ['virtualloop.py', 'oracle.py']) {
    python.runPython(await readFile(new URL(filename, import.meta.url), 'utf8'), { filename })
  }
  const globals = python.globals as unknown as { get(name: string): unknown }
  const runMany = globals.get('run_many') as (request: string) => string
  return {
    version,
    run: (programs) => JSON.parse(runMany(JSON.stringify(programs.map(({ source, left }) => [source, left])))) as Trace[],
  }
}
