// Imports the programs named on the command line one after another, and prints what each throws or reports, as JSON.
import { writeSync } from 'node:fs'

const PATIENCE_MS = 5_000

interface Found {
  thrown: string | null
  reported: string[]
}

let current: Found = { thrown: null, reported: [] }
const firstLine = (error: unknown): string => (String(error).split('\n')[0] as string)

console.error = (...values: unknown[]) => { current.reported.push(firstLine(values.map(String).join(' '))) }
console.log = () => {}
process.on('uncaughtException', (error) => { current.thrown ??= firstLine(error) })
process.on('unhandledRejection', (error) => { current.thrown ??= firstLine(error) })

const found: Found[] = []
for (const path of process.argv.slice(2)) {
  const mine: Found = current = { thrown: null, reported: [] }
  const late = new Promise<never>((_resolve, reject) => { setTimeout(reject, PATIENCE_MS, new Error('it does not end')).unref() })
  try {
    await Promise.race([import(path), late])
  } catch (error) {
    const errors = error instanceof AggregateError ? error.errors as unknown[] : []
    mine.thrown = [error, ...errors].map(firstLine).join(': ')
  }
  found.push(mine)
}
writeSync(1, JSON.stringify(found))
process.exit(0)
