// The tests that need no process, socket or browser, in one process: `npm run test:unit`.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const FOLDERS = ['runtime', 'events', 'probe']
/** They start programs. */
const WITHOUT = ['hosts.test.ts', 'reports.test.ts']
const FILES = ['load/parts', 'observe/detectors', 'observe/metrics', 'observe/stack-samples', 'ui/entry', 'ui/recording']

const files = [
  ...FOLDERS.flatMap((folder) => readdirSync(join(import.meta.dirname, folder)).filter((name) => name.endsWith('.test.ts') && !WITHOUT.includes(name)).map((name) => `./${folder}/${name}`)),
  ...FILES.map((file) => `./${file}.test.ts`),
]
for (const file of files) await import(file)
