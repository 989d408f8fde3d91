// Code that blocks its thread in several ways, as a program has it that knows nothing of a gate.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const fs = require('node:fs') as typeof import('node:fs')
const { readFileSync } = fs

/** This long on a processor, however busy the machine is. */
export function spins(ms: number): void {
  const { user, system } = process.cpuUsage()
  for (let used = 0; used < ms * 1000;) {
    const now = process.cpuUsage()
    used = now.user + now.system - user - system
  }
}

export const readsTaken = (): number => readFileSync(import.meta.filename).length
export const reads = (): number => fs.readFileSync(import.meta.filename).length
export const loads = (): unknown => require('../../../package.json')
