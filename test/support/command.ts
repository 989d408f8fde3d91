// Runs a TypeScript file of the tests as a command, in a separate process.
import { execFile } from 'node:child_process'
import { join } from 'node:path'

const HOOK = join(import.meta.dirname, '../../tools/ts.mjs')

/** Runs `main`, a path below test/, with these arguments: its exit code and its output. */
export function runCommand(main: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', HOOK, join(import.meta.dirname, '..', main), ...args], { maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}
