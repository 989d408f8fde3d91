// Programs of the system that some tests need: where they are, and the message if they are missing.
import { execFile } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Daemons are not on every user's PATH. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export function findProgram(name: string): string | null {
  return FOLDERS.map((folder) => join(folder, name)).find(isExecutable) ?? null
}

/** Processor time of a process so far, in seconds; NaN if the system does not report it. */
export function processorTime(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return NaN
  }
}

/** For a test's `skip`: which program is missing, and which package contains it; false if all are there. */
export function without(...programs: [name: string, debian: string][]): string | false {
  const missing = programs.filter(([name]) => findProgram(name) === null)
  return missing.length > 0 && missing.map(([name, debian]) => `no ${name}: install ${debian}`).join('; ')
}

/** Runs a program that ends by itself; returns its exit code and its output. */
export function runProgram(name: string, args: string[], options: { cwd?: string; env?: Record<string, string>; input?: string } = {}): Promise<{ code: number; text: string }> {
  const { input, env, ...rest } = options
  return new Promise((resolve) => {
    const child = execFile(findProgram(name) ?? name, args, { ...rest, env: { ...process.env, ...env }, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, text: stdout + stderr })
    })
    if (input !== undefined) child.stdin!.end(input)
  })
}
